/** A flash that did not come to its end: why, what it means for the disk, and that it goes on where it stood. */
import { Alert } from '@mantine/core';
import type { ErrorReply } from '../../../preload/contract/errors.ts';
import { flashError } from '../../../preload/contract/flash.ts';
import type { JobRow } from '../../../preload/contract/job.ts';
import { EMPTY_JOB } from '../../../preload/contract/reduce.ts';
import { ErrorView } from '../../components/ErrorView.tsx';
import type { JobMirror } from '../../stores/desk.ts';
import { Notes } from './Notes.tsx';

export function Ended({ row, mirror }: { row: JobRow; mirror: JobMirror | undefined }) {
  // Its log is on its way: a sentence without its reason would be wrong for a moment.
  if (!mirror && row.state !== 'lost') return null;
  const error = flashError(row, mirror?.view ?? EMPTY_JOB);
  if (!error) return null;
  return (
    <>
      {row.state === 'cancelled' ? (
        <Alert color="gray" title={error.message} role="status">
          {error.nextAction}
        </Alert>
      ) : (
        <ErrorView error={error} />
      )}
      {mirror && <Notes mirror={mirror} />}
    </>
  );
}

/** The same of a flash over the network, as main tells it. */
export function EndedThere({ error }: { error: ErrorReply | null }) {
  if (!error) return null;
  if (error.code !== 'job_cancelled') return <ErrorView error={error} />;
  return (
    <Alert color="gray" title={error.message} role="status">
      The disk starts no machine until a flash of it is finished. The same flash goes on where it stood.
    </Alert>
  );
}

/** Nobody feeds the job on the box: the app was closed, or gave up. */
export function WaitsToBeFed() {
  return (
    <Alert color="gray" title="A flash waits on the box to be fed" role="status">
      It keeps what it has. Choose the same image, disk and settings: it goes on where it stood. Without it
      the disk starts no machine.
    </Alert>
  );
}
