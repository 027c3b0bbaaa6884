/** A box as main would tell the window of it, out of a recorded run on the rig: its rows, its lines, and what follows from them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BoxState } from '../../preload/contract/calls.ts';
import { parseEvent } from '../../preload/contract/events.ts';
import { ENDED, JobRow, type JobState } from '../../preload/contract/job.ts';
import { EMPTY_JOB, reduceJob } from '../../preload/contract/reduce.ts';
import { Session, type Run } from '../../preload/contract/session.ts';
import { profileInJournal, standing } from '../../preload/contract/standing.ts';
import { stepsOf } from '../../preload/contract/steps.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/window');

export interface Recording {
  row: JobRow;
  lines: string[];
}

/** A recorded attempt, as it was. */
export function recorded(name: string): Recording {
  const [head = '', ...lines] = readFileSync(join(FOLDER, `${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n');
  return { row: JobRow.parse(JSON.parse(head)), lines };
}

/** An attempt as it stood when so many of its lines were written, or when `until` had just been. */
export function begun(
  name: string,
  until: number | ((line: string) => boolean),
  state?: JobState,
): Recording {
  const whole = recorded(name);
  const count = typeof until === 'number' ? until : whole.lines.findIndex(until) + 1;
  if (count === 0) throw new Error(`${name} has no such line`);
  return { row: { ...whole.row, state: state ?? 'running' }, lines: whole.lines.slice(0, count) };
}

/** A failed task and its end, as the recorded ones are written, in place of what came after `until`. */
export function failedAt(name: string, until: (line: string) => boolean, detail: string): Recording {
  const { row, lines } = begun(name, until);
  const last = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
  const after = (seq: number, fields: Record<string, unknown>) =>
    JSON.stringify({ ...last, seq: Number(last['seq']) + seq, ...fields });
  const failed = after(1, { state: 'failed', seconds: 12.5, detail });
  const end = after(2, {
    kind: 'finished',
    outcome: 'failed',
    code: 'task_failed',
    detail,
    counts: null,
    seconds: 31,
  });
  return { row: { ...row, state: 'failed' }, lines: [...lines, failed, end] };
}

export const session = (more: Partial<Session> = {}): Session => ({
  ...Session.parse(JSON.parse(readFileSync(join(FOLDER, 'session.json'), 'utf8'))),
  ...more,
});

/** A run about these attempts, in this order; `more` are phases that have not begun. */
export function runOf(
  command: Run['command'],
  recordings: readonly Recording[],
  endedAt: string | null,
): Run {
  return {
    id: '3f0c8a52-5f5f-4c59-9a0e-1d2f3a4b5c6d',
    command,
    title: command === 'validate' ? 'Validate gpu-detection' : 'Provision L0, L1',
    startedAt: recordings[0]?.row.createdAt ?? new Date().toISOString(),
    endedAt,
    bundle: '/media/kim/SITE/bundle',
    software: [],
    phases: recordings.map(({ row }) => ({
      id: row.job,
      title: row.title,
      job: row.job,
      kind: row.kind,
      layer: typeof row.spec.params['layer'] === 'number' ? row.spec.params['layer'] : null,
      suite: command === 'validate' ? String(row.spec.params['suite']) : null,
      params: {},
    })),
  };
}

/** What main answers to `box.state` with these attempts in its journal, the run's own among them. */
export function boxOf(
  recordings: readonly Recording[],
  more: Partial<BoxState> & { run?: Run | null } = {},
): BoxState {
  const { run = null, ...rest } = more;
  const now = session({ run });
  const attempts = recordings.map(({ row, lines }) => ({
    row,
    view: lines.map(parseEvent).reduce(reduceJob, EMPTY_JOB),
  }));
  const stands = standing(now, attempts, profileInJournal(attempts));
  const active = recordings.find(({ row }) => !ENDED.includes(row.state))?.row ?? null;
  return {
    session: now,
    practice: false,
    flashError: null,
    standing: stands,
    steps: stepsOf(
      now,
      stands,
      active,
      recordings.map((r) => r.row),
    ),
    jobs: recordings.map((r) => r.row),
    active: active && { job: active.job, attempt: active.attempt },
    following: active !== null,
    resumable: run !== null && run.endedAt === null,
    link: { state: 'live', detail: 'connected to 198.18.204.2', rttMs: 0.4 },
    secrets: { sudoPassword: true, passphrase: false },
    ...rest,
  };
}
