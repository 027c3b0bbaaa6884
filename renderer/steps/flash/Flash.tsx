/** Flash a disk here, or one of the box over the network: image and disk are chosen, what will be lost is shown and confirmed, then it is written and read back. */
import { Button, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { diskName, endOf, isEndOf } from '../../../preload/contract/disk-words.ts';
import { AppError } from '../../../preload/contract/errors.ts';
import { flashError, flashOf, isOf } from '../../../preload/contract/flash.ts';
import { ENDED, type JobRow } from '../../../preload/contract/job.ts';
import { EMPTY_JOB } from '../../../preload/contract/reduce.ts';
import { forWindow } from '../../../preload/contract/window-actions.ts';
import { call } from '../../api.ts';
import { ErrorView } from '../../components/ErrorView.tsx';
import { OutcomeWord } from '../../components/OutcomeWord.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { useJob } from '../../components/useJob.ts';
import { useNow } from '../../components/useNow.ts';
import '../../components/work.css';
import { clock } from '../../numbers.ts';
import { sinceStart } from '../../phases.ts';
import { change, useDesk, type JobMirror } from '../../stores/desk.ts';
import { attempt } from '../../stores/frame.ts';
import { waitsForLink } from '../../words.ts';
import type { StepProps } from '../index.ts';
import { Confirm } from './Confirm.tsx';
import { DiskField } from './DiskField.tsx';
import { Ended, EndedThere, WaitsToBeFed } from './Ended.tsx';
import { FirstBootField } from './FirstBootField.tsx';
import './flash.css';
import { ImageField } from './ImageField.tsx';
import { Running } from './Running.tsx';
import { StopFlash } from './StopFlash.tsx';
import { useDisks } from './useDisks.ts';
import { useFirstBoot } from './useFirstBoot.ts';
import { useImage } from './useImage.ts';
import { Verified } from './Verified.tsx';

const NAME_MAX = 32;
/** A box takes some seconds until it tells of its job. */
const NOTHING_YET: JobMirror = { view: EMPTY_JOB, events: [], samples: null };
const NO_ROOT = forWindow(new AppError('flash_root_missing').toReply());

/** A button has one line; the whole name stands above it on the page. */
const short = (name: string): string =>
  name.length > NAME_MAX ? `${name.slice(0, NAME_MAX).trimEnd()}…` : name;

function Elapsed({ row }: { row: JobRow }) {
  const now = useNow(true);
  return (
    <Text size="sm" className="part-time">
      {clock(sinceStart(row, now))}
    </Text>
  );
}

/** What main says while it looks at a large image over again, before there is a job that could tell. */
function Looking() {
  const notes = useDesk((s) => s.notes);
  const [before] = useState(notes);
  return (
    <Text size="sm" role="status" mt="md">
      {notes === before ? null : notes.at(-1)}
    </Text>
  );
}

export function Flash({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const chosen = box.session.flash;
  const network = box.session.path === 'network';
  const newest = box.jobs.findLast((row) => row.kind === (network ? 'flash_box' : 'flash')) ?? null;
  const mirror = useJob(session, newest);
  const open = newest !== null && !ENDED.includes(newest.state);
  /** A job that waits on the box to be fed: the same order goes on with it. */
  const waits = network && open && !box.following;
  const running = open && !waits;
  const done = box.steps.some((s) => s.id === 'flash' && s.state === 'done');

  const [path, setPath] = useState(chosen?.image ?? '');
  const [serial, setSerial] = useState(chosen?.serial ?? null);
  const [typed, setTyped] = useState('');
  const [page, setPage] = useState<'choose' | 'confirm'>('choose');
  const [again, setAgain] = useState(false);
  const chooses = !running && (!done || again);
  const firstBoot = useFirstBoot(box.session);

  const image = useImage(chooses ? path : '');
  const { look } = image;
  const unlinked = network ? waitsForLink(box.link) : null;
  // Judged for the image, once there is one; until it is looked at the list is for none.
  const disks = useDisks(session, look?.path ?? null, chooses && !image.asking && unlinked === null);
  const disk =
    disks.list?.disks.find((d) => d.verdict.offered && d.serial !== null && d.serial === serial) ?? null;
  const root = disks.list?.root ?? null;

  const kept = look?.path;
  useEffect(() => {
    if (kept === undefined || (kept === chosen?.image && serial === chosen.serial)) return;
    const choice = { image: kept, serial };
    void attempt(() => change(call('flash.choose', { session, choice })));
  }, [session, kept, serial, chosen?.image, chosen?.serial]);
  useEffect(() => {
    if (!running) return;
    setPage('choose');
    setAgain(false);
    setTyped('');
  }, [running]);

  const frame = { box, id: 'flash' as const, action };
  if (running)
    return (
      <StepFrame
        {...frame}
        aside={<Elapsed row={newest} />}
        {...(box.following ? { actions: <StopFlash key={newest.attempt} session={session} /> } : {})}
      >
        {(mirror ?? network) && <Running row={newest} mirror={mirror ?? NOTHING_YET} network={network} />}
      </StepFrame>
    );
  if (!chooses && newest)
    return (
      <StepFrame
        {...frame}
        aside={<OutcomeWord outcome="passed" />}
        actions={
          // The installed system cannot be written over by itself.
          network && !box.session.live ? null : (
            <Button variant="default" onClick={() => setAgain(true)}>
              Flash again…
            </Button>
          )
        }
      >
        {mirror && <Verified row={newest} mirror={mirror} box={box} />}
      </StepFrame>
    );

  if (page === 'confirm' && look) {
    const start = async () => {
      if (!disk?.serial) return;
      await change(
        call('flash.start', {
          session,
          image: look.path,
          serial: disk.serial,
          typed,
          firstBoot: firstBoot.given,
        }),
      );
    };
    const right = disk?.serial != null && isEndOf(disk.serial, typed);
    return (
      <StepFrame
        {...frame}
        actions={
          <Button
            variant="default"
            disabled={action.busy}
            onClick={() => {
              setPage('choose');
              setTyped('');
              action.clear();
            }}
          >
            Choose again
          </Button>
        }
        primary={{
          label: disk
            ? `Erase and write ${short(diskName(disk))} …${endOf(disk.serial ?? '')}`
            : 'Erase and write',
          run: start,
          disabled: !right,
          why: unlinked,
          destroys: true,
        }}
      >
        {disks.error && <ErrorView error={disks.error} />}
        <Confirm
          disk={disk}
          look={look}
          hostname={firstBoot.given?.choice.hostname ?? null}
          root={root}
          typed={typed}
          onType={setTyped}
          onEnter={() => {
            if (right && !action.busy && unlinked === null) void action.run(start);
          }}
        />
        {action.busy && <Looking />}
      </StepFrame>
    );
  }

  const backToResult = () => {
    const last = newest && flashOf(newest);
    setPath(last?.image ?? chosen?.image ?? path);
    setSerial(last?.serial ?? serial);
    setAgain(false);
  };
  const error = network ? box.flashError : newest && flashError(newest, mirror?.view ?? EMPTY_JOB);
  // What cannot be retried is begun anew, once its cause is gone.
  const goesOn =
    newest !== null &&
    (waits || error?.retryable === true) &&
    look !== null &&
    isOf(newest, { image: look.path, serial });
  const lacks = look === null ? 'Choose an image.' : disk === null ? 'Choose a disk.' : firstBoot.lacks;
  return (
    <StepFrame
      {...frame}
      actions={
        again ? (
          <Button variant="subtle" onClick={backToResult}>
            Back to the result
          </Button>
        ) : null
      }
      primary={{
        label: goesOn ? 'Go on with the flash…' : 'What will be lost…',
        run: async () => setPage('confirm'),
        why:
          unlinked ?? (disks.list && root === null ? 'Nothing on this laptop can write to a disk.' : lacks),
      }}
    >
      <Stack gap="lg" pb="md" maw={860}>
        {waits && <WaitsToBeFed />}
        {newest &&
          !again &&
          (network ? <EndedThere error={error} /> : <Ended row={newest} mirror={mirror} />)}
        {disks.list && root === null && <ErrorView error={NO_ROOT} />}
        <ImageField value={path} onChange={setPath} image={image} />
        <DiskField
          value={disk?.serial ?? null}
          onChange={setSerial}
          disks={disks}
          of={network ? box.session.name : null}
        />
        <FirstBootField form={firstBoot} wanted={network} />
      </Stack>
    </StepFrame>
  );
}
