/** A layer or a suite: how it stands, its jobs, what its outcome rests on, and its checks to open. */
import { Button, Group, Text } from '@mantine/core';
import { useId, useState, type ReactNode } from 'react';
import type { Part } from '../../preload/contract/standing.ts';
import { clock, plural } from '../numbers.ts';
import { isUnderWay, sinceStart, type PhaseOf } from '../phases.ts';
import { jobKey, useDesk } from '../stores/desk.ts';
import { CheckRow } from './CheckRow.tsx';
import { OutcomeWord } from './OutcomeWord.tsx';
import { PhaseRow } from './PhaseRow.tsx';
import { Reasons } from './Reasons.tsx';
import { TimeTrack } from './TimeTrack.tsx';
import { useNow } from './useNow.ts';
import './work.css';

interface Props {
  part: Part;
  phases: readonly PhaseOf[];
  session: string;
  nominalSeconds?: number | null;
  /** Why nothing of it has begun, such as `after L0`. */
  waitsFor?: string | null;
  /** Beside the title: a box to tick. */
  choice?: ReactNode;
  /** Between its jobs and its checks: charts. */
  children?: ReactNode;
}

function useSeconds(phases: readonly PhaseOf[], now: number): number {
  const jobs = useDesk((s) => s.jobs);
  return phases.reduce((sum, { row }) => {
    if (!row) return sum;
    const view = jobs[jobKey(row.job, row.attempt)]?.view;
    const under = row.state === 'running' || row.state === 'starting';
    return sum + (under ? sinceStart(row, now) : (view?.seconds ?? 0));
  }, 0);
}

export function PartCard({ part, phases, session, nominalSeconds, waitsFor, choice, children }: Props) {
  const [open, setOpen] = useState(false);
  const listId = useId();
  const running = isUnderWay(phases);
  const now = useNow(running);
  const seconds = useSeconds(phases, now);
  const begun = phases.some((p) => p.row !== null);
  const settled = part.state === 'ended' && !running;
  const { checks } = part;
  const concerns = checks.filter((c) => c.result.verdict !== 'pass').length;
  return (
    <section className="part" data-part={part.id} data-running={running} aria-label={part.title}>
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
          <Text size="xs" span className="part-evidence">
            {part.evidence}
          </Text>
        )}
        <span className="part-space" />
        {running && nominalSeconds ? <TimeTrack seconds={seconds} nominal={nominalSeconds} /> : null}
        {begun && (
          <Text size="sm" span className="part-time">
            {clock(seconds)}
            {nominalSeconds ? ` of ~${clock(nominalSeconds)}` : ''}
          </Text>
        )}
      </div>
      {part.stale && settled && (
        <Text size="sm" className="stale">
          <span aria-hidden>↻ </span>
          Out of date: {part.stale}.
        </Text>
      )}
      {begun && (
        <ol className="phases">
          {phases.map((phase) => (
            <PhaseRow key={phase.title} session={session} phase={phase} now={now} />
          ))}
        </ol>
      )}
      {children}
      {settled && <Reasons decision={part.decision} />}
      {checks.length > 0 && !(running && open === false && concerns === 0) && (
        <>
          <Group gap="xs" mt={4}>
            <Button
              size="compact-xs"
              variant="default"
              aria-expanded={open}
              aria-controls={listId}
              onClick={() => setOpen(!open)}
            >
              {open ? 'Hide checks' : `Show ${plural(checks.length, 'check')}`}
            </Button>
            <Text size="xs" c="var(--muted)">
              {concerns === 0 ? 'all passed' : `${concerns} did not pass`}
            </Text>
          </Group>
          <div id={listId} hidden={!open}>
            {open &&
              checks.map((check) => <CheckRow key={check.result.id} check={check} session={session} />)}
          </div>
        </>
      )}
    </section>
  );
}
