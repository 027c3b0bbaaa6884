/** One job of a layer or suite: its state, how long it took, and while it runs what it does; its error when it did not pass. */
import { Text } from '@mantine/core';
import { jobError } from '../../preload/contract/job-error.ts';
import type { ErrorReply } from '../../preload/contract/errors.ts';
import { EMPTY_JOB, type JobView } from '../../preload/contract/reduce.ts';
import { forWindow } from '../../preload/contract/window-actions.ts';
import { clock } from '../numbers.ts';
import { countsText, sinceStart, stateOf, type PhaseOf, type PhaseState } from '../phases.ts';
import type { JobMirror } from '../stores/desk.ts';
import { ErrorView } from './ErrorView.tsx';
import { JobProgress } from './JobProgress.tsx';
import { TaskLines } from './TaskLines.tsx';
import { useJob } from './useJob.ts';

const LOOKS: Record<PhaseState, { icon: string; word: string }> = {
  waits: { icon: '·', word: 'waits' },
  running: { icon: '▶', word: 'running' },
  passed: { icon: '✓', word: 'done' },
  failed: { icon: '✕', word: 'failed' },
  cancelled: { icon: '–', word: 'cancelled' },
  lost: { icon: '?', word: 'lost' },
};

/** Lines of output that explain a failure, for the folded part. */
const TAIL = 20;

function tailOf({ events }: JobMirror): string {
  return events
    .filter((e) => e.known && e.kind === 'log')
    .slice(-TAIL)
    .map((e) => (e.known && e.kind === 'log' ? e.body.text.trimEnd() : ''))
    .join('\n');
}

/** The error of a job that did not pass, as the error table says it. */
function errorOf(phase: PhaseOf, mirror: JobMirror | undefined): ErrorReply | null {
  const { row } = phase;
  if (!row) return null;
  const reply = forWindow(jobError(row, mirror?.view ?? EMPTY_JOB).toReply());
  const tail = mirror ? tailOf(mirror) : '';
  return { ...reply, detail: [reply.detail, tail].filter(Boolean).join('\n') || null };
}

const failedTasks = ({ tasks }: JobView) => tasks.filter((t) => t.state === 'failed').slice(-1);

interface Props {
  session: string;
  phase: PhaseOf;
  /** The laptop's clock, in ms. */
  now: number;
}

export function PhaseRow({ session, phase, now }: Props) {
  const { row, title, kind } = phase;
  const mirror = useJob(session, row);
  const state = stateOf(phase);
  const { icon } = LOOKS[state];
  // Recorded here, and not yet known to have begun on the box.
  const word = row?.state === 'starting' ? 'starting' : LOOKS[state].word;
  const seconds = state === 'running' && row ? sinceStart(row, now) : (mirror?.view.seconds ?? null);
  const broken = state === 'failed' || state === 'cancelled' || state === 'lost';
  const error = broken ? errorOf(phase, mirror) : null;
  return (
    <li className="phase" data-state={state}>
      <div className="phase-head">
        <span aria-hidden className="phase-icon">
          {icon}
        </span>
        <span className="phase-title">{title}</span>
        <Text size="xs" span className="phase-word">
          {state === 'passed' ? countsText(kind, mirror?.view.counts ?? null) || word : word}
          {row && row.attempt > 1 && `, attempt ${row.attempt}`}
        </Text>
        <Text size="xs" span className="phase-time">
          {seconds === null ? '' : clock(seconds)}
        </Text>
      </div>
      {state === 'running' && mirror && <JobProgress mirror={mirror} />}
      {error && (
        <div className="job-progress">
          {mirror && <TaskLines tasks={failedTasks(mirror.view)} />}
          {state === 'cancelled' ? (
            <Text size="sm" c="var(--muted)">
              {error.nextAction}
            </Text>
          ) : (
            <ErrorView error={error} />
          )}
        </div>
      )}
    </li>
  );
}
