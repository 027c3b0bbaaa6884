/** For whom and by whom, with which key; then the archive, and whether it is what was written. */
import { Button, Group, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { BoxState, CallOutput } from '../../../preload/contract/calls.ts';
import type { Verification } from '../../../preload/contract/verification.ts';
import { call } from '../../api.ts';
import type { Action } from '../../components/useAction.ts';
import { GivenKey, givenKey } from './GivenKey.tsx';
import { Preview } from './Preview.tsx';
import { Verified } from './Verified.tsx';
import { WORDS } from './words.ts';

type Exported = CallOutput<'box.archive'>;
const FIELDS = ['customer', 'site', 'engineer'] as const;
const PAPERS = ['A4', 'Letter'] as const;
type Paper = (typeof PAPERS)[number];
const SIGNING_WORDS = { label: WORDS.signingKey, help: WORDS.signingKeyHelp, passphrase: WORDS.passphrase };
const EMPTY = { customer: '', site: '', engineer: '' };

function Written({ made, verify, action }: { made: Exported; verify: () => void; action: Action }) {
  return (
    <div className="report-made" role="status" aria-label={WORDS.archiveExported}>
      <Text fw={600}>{WORDS.exported}</Text>
      <Text size="sm" className="mono report-path">
        {made.zip}
      </Text>
      {made.signature === null && <Text size="sm">{WORDS.unsigned}</Text>}
      {made.noPdf !== null && <Text size="sm">{WORDS.noPdf(made.noPdf)}</Text>}
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => void action.run(() => call('open.path', { path: made.folder }))}
        >
          {WORDS.openFolder}
        </Button>
        <Button size="compact-sm" variant="default" onClick={verify}>
          {WORDS.verify}
        </Button>
      </Group>
    </div>
  );
}

export function HandOver({ box, folder, action }: { box: BoxState; folder: string | null; action: Action }) {
  const session = box.session.id;
  const [told, setTold] = useState(box.session.handover ?? EMPTY);
  const [key, setKey] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [paper, setPaper] = useState<Paper>('A4');
  const [preview, setPreview] = useState<string | null>(null);
  const [page, setPage] = useState<string | null>(null);
  const [made, setMade] = useState<Exported | null>(null);
  const [found, setFound] = useState<Verification | null>(null);

  const exportAll = async () => {
    setMade(null);
    setFound(null);
    await call('box.handover', { session, ...told });
    setMade(await call('box.archive', { session, folder, paper, sign: givenKey(key, passphrase) }));
    setPassphrase('');
  };
  const look = async () => {
    await call('box.handover', { session, ...told });
    setPreview(await call('box.preview', { session }));
  };
  const writePage = async () => setPage((await call('report.verifyPage', { folder })).path);
  const verify = (path: string) =>
    void action.run(async () => setFound(await call('report.verify', { path })));
  const verifyOther = () =>
    void action.run(async () => {
      const path = await call('pick.file', { what: 'report' });
      if (path !== null) setFound(await call('report.verify', { path }));
    });
  return (
    <section className="part" aria-label={WORDS.handover}>
      <Stack gap="sm">
        <span className="part-title">{WORDS.handover}</span>
        <Text size="sm">{WORDS.told}</Text>
        <Group gap="sm" grow>
          {FIELDS.map((field) => (
            <TextInput
              key={field}
              label={WORDS[field]}
              maxLength={200}
              value={told[field]}
              onChange={(e) => setTold({ ...told, [field]: e.currentTarget.value })}
            />
          ))}
        </Group>
        <GivenKey
          what="signingKey"
          words={SIGNING_WORDS}
          path={key}
          passphrase={passphrase}
          onPath={setKey}
          onPassphrase={setPassphrase}
        />
        <Radio.Group label={WORDS.paper} value={paper} onChange={setPaper}>
          <Group gap="md">
            {PAPERS.map((p) => (
              <Radio key={p} value={p} label={p} />
            ))}
          </Group>
        </Radio.Group>
        <Group gap="xs">
          <Button
            variant="default"
            disabled={box.jobs.length === 0 || action.busy}
            onClick={() => void action.run(look)}
          >
            {WORDS.preview}
          </Button>
          <Button
            variant="default"
            disabled={box.jobs.length === 0 || action.busy}
            onClick={() => void action.run(exportAll)}
          >
            {WORDS.export}
          </Button>
          <Button variant="default" disabled={action.busy} onClick={verifyOther}>
            {WORDS.verifyOther}
          </Button>
          <Button variant="default" disabled={action.busy} onClick={() => void action.run(writePage)}>
            {WORDS.verifyPage}
          </Button>
        </Group>
        {made && <Written made={made} verify={() => verify(made.zip)} action={action} />}
        {page !== null && (
          <Text size="sm" role="status">
            {WORDS.verifyPageMade} <span className="mono report-path">{page}</span>
          </Text>
        )}
        {preview !== null && (
          <Preview box={box.session.name} html={preview} onClose={() => setPreview(null)} />
        )}
        {found && <Verified found={found} />}
      </Stack>
    </section>
  );
}
