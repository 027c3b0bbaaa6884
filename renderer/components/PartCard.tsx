/** A layer or a suite: how it stands, its jobs, what its outcome rests on, and its checks to open. */
import { Button, Group, Text } from '@mantine/core';
import { useId, useState, type ReactNode } from 'react';
import type { StandingCheck } from '../../preload/contract/results.ts';
import type { Part } from '../../preload/contract/standing.ts';
import { plural } from '../numbers.ts';
import { isUnderWay, stateOf, type PhaseOf } from '../phases.ts';
import { CheckRow } from './CheckRow.tsx';
import { PartHead } from './PartHead.tsx';
import { PhaseRow } from './PhaseRow.tsx';
import { Reasons } from './Reasons.tsx';
import { useNow } from './useNow.ts';
import './work.css';

interface Props {
  part: Part;
  phases: readonly PhaseOf[];
  session: string;
  nominalSeconds?: number | null;
  /** Why nothing of it has begun, such as `after L0`. */
  waitsFor?: string | null;
  /** In place of its name: a box to tick. */
  choice?: ReactNode;
  /** What is to be known of it whatever its checks say, such as when it is due again. */
  note?: string | null;
  /** Runs one of its checks again; left out where that cannot be done now. */
  onRerun?: (check: string) => void;
  /** Below its checks: charts. */
  children?: ReactNode;
}

const passes = (c: StandingCheck) => c.result.verdict === 'pass';

/** What is said of the checks while they are closed. */
function summary(concerns: number, running: boolean): string {
  if (concerns > 0) return `${concerns} did not pass`;
  return running ? 'all passed so far' : 'all passed';
}

/** Failures, what is missing and deviations, less what the card says already in another place. */
function toTell(part: Part) {
  const { stale, decision } = part;
  const missing = decision.missing.filter((text) => stale === null || !text.includes(stale));
  return { ...decision, missing };
}

export function PartCard({
  part,
  phases,
  session,
  nominalSeconds,
  waitsFor,
  choice,
  note,
  onRerun,
  children,
}: Props) {
  const [open, setOpen] = useState(false);
  const moreId = useId();
  const running = isUnderWay(phases);
  const now = useNow(running);
  const settled = part.state === 'ended' && !running;
  const { checks } = part;
  const ordered = [...checks.filter((c) => !passes(c)), ...checks.filter(passes)];
  const states = phases.map(stateOf);
  // Jobs that all ended well are one line with the rest; the others are always there.
  const quiet = states.every((s) => s === 'passed');
  // What stopped a job is told by the job's own row.
  const stopped = states.some((s) => s === 'failed' || s === 'cancelled' || s === 'lost');
  const begun = phases.some((p) => p.row !== null);
  const jobs = (
    <ol className="phases">
      {phases.map((phase) => (
        <PhaseRow key={phase.title} session={session} phase={phase} now={now} />
      ))}
    </ol>
  );
  const counts = [
    ...(quiet && part.kind === 'layer' ? [plural(phases.length, 'job')] : []),
    ...(checks.length > 0 ? [plural(checks.length, 'check')] : []),
  ].join(' and ');
  return (
    <section className="part" data-part={part.id} data-running={running} aria-label={part.title}>
      <PartHead
        session={session}
        part={part}
        phases={phases}
        nominalSeconds={nominalSeconds ?? null}
        waitsFor={waitsFor ?? null}
        choice={choice}
        now={now}
      />
      {note && (
        <Text size="xs" c="var(--muted)">
          {note}
        </Text>
      )}
      {part.stale && settled && (
        <Text size="sm" className="stale">
          <span aria-hidden>↻ </span>
          Out of date: {part.stale}.
        </Text>
      )}
      {begun && !quiet && jobs}
      {settled && !(stopped && checks.length === 0) && <Reasons decision={toTell(part)} />}
      {begun && counts !== '' && (
        <Group gap="xs" mt={2} mb={open ? 6 : 0}>
          <Button
            size="compact-xs"
            variant="default"
            aria-expanded={open}
            aria-controls={moreId}
            onClick={() => setOpen(!open)}
          >
            {open ? 'Hide' : 'Show'} {counts}
          </Button>
          {checks.length > 0 && (
            <Text size="xs" c="var(--muted)">
              {summary(checks.length - checks.filter(passes).length, running)}
            </Text>
          )}
        </Group>
      )}
      <div id={moreId} hidden={!open}>
        {open && quiet && part.kind === 'layer' && jobs}
        {open &&
          ordered.map((check) => (
            <CheckRow
              key={check.result.id}
              check={check}
              session={session}
              {...(onRerun ? { onRerun } : {})}
            />
          ))}
      </div>
      {children}
    </section>
  );
}
