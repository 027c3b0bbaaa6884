/** The first line of a layer or suite: its name, how it stands, how long it took, and what it changed. */
import { Text } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';
import type { Part } from '../../preload/contract/standing.ts';
import { clock } from '../numbers.ts';
import { isUnderWay, sinceStart, type PhaseOf } from '../phases.ts';
import { jobKey, loadJob, useDesk } from '../stores/desk.ts';
import { attempt } from '../stores/frame.ts';
import { OutcomeWord } from './OutcomeWord.tsx';
import { TimeTrack } from './TimeTrack.tsx';

interface Props {
  session: string;
  part: Part;
  phases: readonly PhaseOf[];
  nominalSeconds: number | null;
  /** Why nothing of it has begun, such as `after L0`. */
  waitsFor: string | null;
  /** In place of its name: a box to tick. */
  choice: ReactNode;
  now: number;
}

/** Its jobs together: seconds, and what those that install changed; null where none of them has ended. */
function useSums(session: string, phases: readonly PhaseOf[], now: number) {
  const jobs = useDesk((s) => s.jobs);
  const rows = phases.flatMap((p) => p.row ?? []);
  useEffect(() => {
    const missing = rows.filter((row) => useDesk.getState().jobs[jobKey(row.job, row.attempt)] === undefined);
    void attempt(() => Promise.all(missing.map((row) => loadJob(session, row.job, row.attempt))));
  }, [session, rows.map((row) => jobKey(row.job, row.attempt)).join()]);
  let [seconds, changed]: [number, number | null] = [0, null];
  for (const { row, kind } of phases) {
    if (!row) continue;
    const view = jobs[jobKey(row.job, row.attempt)]?.view;
    seconds += isUnderWay([{ row, kind, title: '' }]) ? sinceStart(row, now) : (view?.seconds ?? 0);
    if (view?.counts && kind !== 'fetch' && kind !== 'checks') changed = (changed ?? 0) + view.counts.changed;
  }
  return { seconds, changed };
}

export function PartHead({ session, part, phases, nominalSeconds, waitsFor, choice, now }: Props) {
  const running = isUnderWay(phases);
  const { seconds, changed } = useSums(session, phases, now);
  const begun = phases.some((p) => p.row !== null);
  return (
    <div className="part-head">
      {choice ?? <span className="part-title">{part.title}</span>}
      <span className="part-state" aria-live="polite">
        {running ? (
          <span className="verdict part-running">
            <span aria-hidden className="verdict-icon">
              ▶
            </span>
            running
          </span>
        ) : part.attempts === 0 ? (
          <Text size="sm" span c="var(--muted)">
            <span aria-hidden>· </span>
            {waitsFor ?? 'not run'}
          </Text>
        ) : (
          <OutcomeWord outcome={part.outcome} />
        )}
      </span>
      {part.evidence !== null && part.evidence !== 'real' && (
        <span className="part-evidence">{part.evidence}</span>
      )}
      <span className="part-space" />
      {running && nominalSeconds ? <TimeTrack seconds={seconds} nominal={nominalSeconds} /> : null}
      {begun && (
        <Text size="sm" span className="part-time">
          {clock(seconds)}
          {nominalSeconds ? ` of ~${clock(nominalSeconds)}` : ''}
        </Text>
      )}
      {changed !== null && !running && (
        <Text size="sm" span className="part-time">
          changed {changed}
        </Text>
      )}
    </div>
  );
}
