/** A flash that did not come to its end: why, what it means for the disk, and that it goes on where it stood. */
import { Alert } from '@mantine/core';
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
