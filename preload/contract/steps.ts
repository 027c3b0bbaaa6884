/**
 * The wizard's steps of a box: which there are, in which order, and the state of each, computed from how the box stands
 * and never kept (design: Wizard). Pure; the screen draws it, main answers with it.
 */
import { isOf } from './flash.ts';
import type { JobRow } from './job.ts';
import { blockersOf } from './preflight.ts';
import type { Session } from './session.ts';
import type { Part, Standing } from './standing.ts';

export const STEP_IDS = [
  'flash',
  'connect',
  'preflight',
  'reconnect',
  'keys',
  'provision',
  'validate',
  'report',
] as const;
export type StepId = (typeof STEP_IDS)[number];

export type StepState = 'done' | 'running' | 'ready' | 'blocked' | 'stale' | 'failed';

export interface Step {
  id: StepId;
  title: string;
  state: StepState;
  /** Why it is blocked, stale or failed; null else. */
  why: string | null;
}

/** Of each path, in order. */
const PATHS: Record<Session['path'], readonly StepId[]> = {
  provision: ['connect', 'preflight', 'keys', 'provision', 'validate', 'report'],
  flash: ['flash', 'connect', 'preflight', 'keys', 'provision', 'validate', 'report'],
  // The seed takes key and password, and the image has its layers.
  network: ['connect', 'preflight', 'flash', 'reconnect', 'validate', 'report'],
};

const TITLES: Record<StepId, string> = {
  flash: 'Flash',
  connect: 'Connect',
  preflight: 'Preflight',
  reconnect: 'Reconnect',
  keys: 'Keys',
  provision: 'Provision',
  validate: 'Validate',
  report: 'Report',
};

const good = (part: Pick<Part, 'outcome'>) =>
  part.outcome === 'passed' || part.outcome === 'passed_with_deviations';

/** The step in which a job shows, on the path of its box. */
export function stepOfJob(row: Pick<JobRow, 'kind' | 'spec'>, path: Session['path'] = 'provision'): StepId {
  const step = anyStepOf(row);
  if (path !== 'network') return step;
  // Begun from the command line, where each box may have all of it.
  if (row.kind === 'flash_box') return 'flash';
  return step === 'keys' || step === 'provision' ? 'reconnect' : step;
}

function anyStepOf(row: Pick<JobRow, 'kind' | 'spec'>): StepId {
  switch (row.kind) {
    case 'preflight':
      return 'preflight';
    case 'keys':
    case 'uid_swap':
      return 'keys';
    case 'selftest':
    case 'flash_box': // into a box that was started into a live system, which has a path of its own
      return 'connect';
    case 'checks':
      return /^l\d+$/.test(String(row.spec.params['suite'])) ? 'provision' : 'validate';
    case 'reboot':
      return row.spec.params['suite'] ? 'validate' : 'provision';
    case 'flash':
    case 'image': // of no box, so of no wizard either
      return 'flash';
    case 'fetch':
    case 'bootstrap':
    case 'layer':
    case 'harden':
    case 'drift':
      return 'provision';
  }
}

type Verdict = { state: StepState; why: string | null };
const READY: Verdict = { state: 'ready', why: null };
const DONE: Verdict = { state: 'done', why: null };

function ofParts(parts: readonly Part[]): Verdict {
  const ran = parts.filter((p) => p.state !== 'not_run');
  if (ran.length === 0) return READY;
  const stale = ran.find((p) => p.stale !== null);
  if (stale) return { state: 'stale', why: `${stale.title}: ${stale.stale ?? ''}` };
  const failed = ran.find((p) => p.outcome === 'failed');
  if (failed) return { state: 'failed', why: failed.decision.failures[0] ?? `${failed.title} failed` };
  return parts.every(good) ? DONE : READY;
}

/** `flashes`: attempts of the box's flash, oldest first. One that is on its way is told by `active`. */
function ofFlash({ flash }: Session, flashes: readonly JobRow[]): Verdict {
  const newest = flashes.at(-1);
  if (!newest) return READY;
  switch (newest.state) {
    case 'passed':
      if (flash === null || isOf(newest, flash)) return DONE;
      return { state: 'stale', why: 'Another image or disk was chosen since.' };
    case 'failed':
      return { state: 'failed', why: 'The disk was not flashed to its end.' };
    case 'starting':
    case 'running':
    case 'cancelled':
    case 'lost':
      return { state: 'ready', why: 'The flash is not at its end; it goes on where it stood.' };
  }
}

/** The system that was flashed, met: its key login, and the health checks of its layers. */
function ofReconnect(
  { live, next }: Session,
  { keys, layers }: Standing,
  flashes: readonly JobRow[],
): Verdict {
  if (next !== null) return READY;
  if (live || flashes.at(-1)?.state !== 'passed')
    return { state: 'blocked', why: 'The disk is flashed first: the box starts from it.' };
  const found = ofParts([keys, ...layers.filter((layer) => layer.state !== 'not_run')]);
  // What could not be looked at is named in it.
  return found.state === 'ready' && keys.state === 'ended' ? DONE : found;
}

/** `active`: the attempt that is on its way, on the box or as a flash here; `jobs`: all attempts of the box. */
export function stepsOf(
  session: Session,
  now: Standing,
  active: JobRow | null,
  jobs: readonly JobRow[],
): Step[] {
  const network = session.path === 'network';
  const flashes = jobs.filter((row) => row.kind === (network ? 'flash_box' : 'flash'));
  const running = active ? stepOfJob(active, session.path) : null;
  const shown = now.suites.filter((s) => s.attempts > 0);
  const preflight = (): Verdict => {
    if (!session.hostKey) return { state: 'blocked', why: 'Connect first.' };
    const found = ofParts([now.preflight]);
    // An incomplete look is a look: what it lacks is named in it, and only blockers stop what follows.
    return found.state === 'ready' && now.preflight.state === 'ended' ? DONE : found;
  };
  const keys = (): Verdict => {
    if (now.preflight.state === 'not_run')
      return { state: 'blocked', why: 'Preflight comes first: it changes nothing.' };
    const [blocker] = blockersOf(now.preflight);
    // Keys that were proven stay so: what is in the way now is told by preflight, and stops what follows.
    if (blocker && now.keys.state === 'not_run')
      return { state: 'blocked', why: `Preflight found a blocker: ${blocker.result.title}.` };
    return ofParts([now.keys]);
  };
  const needsKeys = (verdict: () => Verdict): Verdict =>
    session.keys?.keyLoginProvenAt
      ? verdict()
      : { state: 'blocked', why: network ? 'Reconnect comes first.' : 'Keys come first.' };
  const verdicts: Record<StepId, () => Verdict> = {
    flash: () =>
      network && now.preflight.state === 'not_run'
        ? { state: 'blocked', why: 'Preflight comes first: it tells which machine this is.' }
        : ofFlash(session, flashes),
    reconnect: () => ofReconnect(session, now, flashes),
    connect: () => {
      if (session.hostKey) return DONE;
      return session.path === 'flash' && !flashes.some((row) => row.state === 'passed')
        ? { state: 'blocked', why: 'The disk is flashed first: the box starts from it.' }
        : READY;
    },
    preflight,
    keys,
    provision: () => needsKeys(() => ofParts(now.layers)),
    validate: () => needsKeys(() => ofParts(shown)),
    report: () =>
      now.preflight.state === 'not_run'
        ? { state: 'blocked', why: 'There is nothing to report yet.' }
        : READY,
  };
  return PATHS[session.path].map((id) => {
    const verdict: Verdict = running === id ? { state: 'running', why: null } : verdicts[id]();
    return { id, title: TITLES[id], ...verdict };
  });
}
