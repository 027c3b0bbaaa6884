/** A job that is on its way: what it does now, how far it is, how fast, and what it waits for. */
import { Progress, Text } from '@mantine/core';
import { rateOf } from '../../preload/contract/rate.ts';
import type { JobView } from '../../preload/contract/reduce.ts';
import { bytes, clock, duration } from '../numbers.ts';
import type { JobMirror } from '../stores/desk.ts';
import { TaskLines } from './TaskLines.tsx';
import { TimeTrack } from './TimeTrack.tsx';
import { Waiting } from './Waiting.tsx';

/** Tasks that ended and are still shown above the one on its way. */
const ENDED_SHOWN = 2;
/** Silence is told of from here on, in seconds. */
const QUIET_S = 10;

interface Amount {
  done: number;
  total: number | null;
  /** Amount, rate and remaining time in words. */
  text: string;
}

/** The bytes of a fetch, with the rate of a moving window. */
function bytesOf({ progress }: JobView, events: JobMirror['events']): Amount | null {
  if (progress?.unit !== 'bytes') return null;
  const { done, total } = progress;
  const rate = rateOf(events);
  const amount = total === null ? bytes(done) : `${bytes(done)} of ${bytes(total)}`;
  const speed = rate === null ? 'rate unknown' : `${bytes(rate.perSecond)}/s`;
  const left = rate?.remainingSeconds ?? null;
  return {
    done,
    total,
    text: `${amount} · ${speed} · ${left === null ? 'remaining unknown' : `${duration(left)} left`}`,
  };
}

function tasksOf({ tasks }: JobView): Amount | null {
  const now = tasks.at(-1);
  if (!now) return null;
  const ended = tasks.filter((t) => t.state !== 'begin').length;
  const of = now.total === null ? '' : ` of ${now.total}`;
  return { done: ended, total: now.total, text: `task ${now.index}${of}` };
}

function countOf({ progress }: JobView): Amount | null {
  if (!progress || progress.unit === 'bytes') return null;
  const { phase, done, total, unit } = progress;
  if (unit === 'seconds' && total !== null) {
    const left = clock(Math.max(0, total - done));
    return { done, total, text: `${clock(done)} of ${clock(total)}, ${left} left` };
  }
  const what = unit === 'events' ? phase : unit;
  return { done, total, text: total === null ? `${what} ${done}` : `${done} of ${total} ${what}` };
}

/** Seconds that the step on its way has taken, as far as its box has told. */
function secondsOf({ events, samples }: JobMirror): number {
  const begun = events.findLast((e) => e.known && e.kind === 'step' && e.body.state === 'begin');
  const newest = Math.max(events.at(-1)?.env.mono ?? 0, samples?.env.mono ?? 0);
  return begun ? newest - begun.env.mono : 0;
}

export function JobProgress({ mirror }: { mirror: JobMirror }) {
  const { view, events } = mirror;
  const step = view.steps.findLast((s) => s.state === 'running');
  const nominal = step?.nominalSeconds ?? null;
  const seconds = nominal === null ? 0 : secondsOf(mirror);
  const amount = bytesOf(view, events) ?? tasksOf(view) ?? countOf(view);
  const ended = view.tasks.filter((t) => t.state !== 'begin').slice(-ENDED_SHOWN);
  const running = view.tasks.filter((t) => t.state === 'begin').slice(-1);
  const part = amount?.total ? Math.min(100, (amount.done / amount.total) * 100) : null;
  return (
    <div className="job-progress">
      <div className="job-line">
        <Text size="sm" span className="job-step" title={step?.title}>
          {running.length > 0 ? '' : (step?.title ?? 'Starting')}
        </Text>
        {amount && (
          <Text size="sm" span className="job-amount">
            {amount.text}
          </Text>
        )}
        {nominal !== null && (
          <>
            <Text size="sm" span className="job-amount">
              {clock(seconds)} of ~{clock(nominal)}
            </Text>
            <TimeTrack seconds={seconds} nominal={nominal} />
          </>
        )}
        {part !== null && (
          <Progress.Root size="sm" w={140} className="job-bar">
            <Progress.Section value={part} aria-label={amount?.text} />
          </Progress.Root>
        )}
      </div>
      <TaskLines tasks={[...ended, ...running]} />
      {view.waiting && <Waiting waiting={view.waiting} />}
      {!view.waiting && view.quietSeconds >= QUIET_S && (
        <Text size="xs" c="var(--muted)">
          Quiet for {clock(view.quietSeconds)}; the job is alive.
        </Text>
      )}
    </div>
  );
}
