/** Whether a set of an image is whole and by whom: every file, every chunk of the disk, the signature; offline. */
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { ImageProof } from '../../preload/contract/image-desk.ts';
import { call } from '../api.ts';
import { ErrorView } from '../components/ErrorView.tsx';
import { FolderField } from '../components/FolderField.tsx';
import { OutcomeWord } from '../components/OutcomeWord.tsx';
import { useAction } from '../components/useAction.ts';
import { showVerify, useImages } from '../stores/images.ts';
import { Labels, SetFiles } from './SetFiles.tsx';

const MEANS: Record<ImageProof['outcome'], string> = {
  passed: 'Every file and every chunk of the disk is what the manifest says, and a key known here signed it.',
  passed_with_deviations: '',
  incomplete:
    'Every file and every chunk of the disk is what the manifest says. Nobody known here vouches for it.',
  failed: 'Flash nothing from it. Copy the set again from where it was built, and verify it again.',
};

function Proof({ proof }: { proof: ImageProof }) {
  const { set, outcome, sentence, problems } = proof;
  return (
    <section className="part" aria-label="Result" data-outcome={outcome}>
      <Group gap="sm" role="status">
        <OutcomeWord outcome={outcome} />
        <Text size="sm" fw={600} className="report-path">
          {sentence}
        </Text>
        <Labels labels={set.labels} />
      </Group>
      <Text size="sm">{MEANS[outcome]}</Text>
      {problems.length > 0 && (
        <ul className="image-problems">
          {problems.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <SetFiles set={set} verifies={false} broken={problems.length > 0} />
    </section>
  );
}

export function VerifyView() {
  const dir = useImages((s) => s.dir);
  const action = useAction();
  const [proof, setProof] = useState<{ dir: string; proof: ImageProof } | null>(null);
  const wanted = dir.trim();
  const verify = (event: FormEvent) => {
    event.preventDefault();
    if (wanted === '' || action.busy) return;
    setProof(null);
    void action.run(async () =>
      setProof({ dir: wanted, proof: await call('image.verify', { dir: wanted }) }),
    );
  };
  return (
    <Stack gap="md" maw={760}>
      <form onSubmit={verify} aria-label="Verify a set">
        <Stack gap="sm">
          <FolderField
            label="Folder of the set"
            description="The one with the image and its manifest.json. The whole image is read; nothing is changed and no network is needed."
            what="imageSet"
            value={dir}
            onChange={(path) => showVerify(path)}
          />
          <Group gap="sm">
            <Button type="submit" loading={action.busy} disabled={wanted === ''}>
              Verify
            </Button>
            {action.busy && (
              <Text size="sm" role="status">
                Reading the whole image.
              </Text>
            )}
          </Group>
        </Stack>
      </form>
      {action.error && <ErrorView error={action.error} onClose={action.clear} />}
      {proof?.dir === wanted && !action.busy && <Proof proof={proof.proof} />}
      {!proof && !action.busy && !action.error && (
        <Alert color="gray" variant="light">
          Choose the folder of a set that was built here or that was brought here. With “Verify…” at a build
          its folder is filled in.
        </Alert>
      )}
    </Stack>
  );
}
