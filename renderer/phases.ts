/** The jobs of a layer or suite as the screen lists them: those of the run that is on its way, else the newest there were. */
import type { BoxState } from '../preload/contract/calls.ts';
import { ENDED, type JobKind, type JobRow } from '../preload/contract/job.ts';
import type { Counts } from '../preload/contract/events.ts';
import { plural } from './numbers.ts';

export interface PhaseOf {
  title: string;
  kind: JobKind;
  /** Its newest attempt; null before it begins. */
  row: JobRow | null;
}

/** What a phase is about: a layer's number, or a suite's id. */
export type About = { layer: number } | { suite: string };

function concerns({ spec }: JobRow, about: About): boolean {
  const { layer, suite, sets } = spec.params;
  // Its checks, and a reboot between them.
  if ('suite' in about) return suite === about.suite;
  const named = layer ?? (Array.isArray(sets) && sets.includes(`l${about.layer}`) ? about.layer : null);
  return named === about.layer;
}

/** The phases of the session's run that are about this; empty where it has none. */
function ofRun({ session, jobs }: BoxState, about: About): PhaseOf[] {
  const phases = (session.run?.phases ?? []).filter((p) =>
    'suite' in about ? p.suite === about.suite : p.layer === about.layer,
  );
  return phases.map(({ title, kind, job }) => ({
    title,
    kind,
    row: jobs.findLast((r) => r.job === job) ?? null,
  }));
}

/** The newest job of each title since the last fetch, which is where an installation begins. */
function ofJournal({ jobs }: BoxState, about: About): PhaseOf[] {
  const all = jobs.filter((row) => concerns(row, about));
  const since = all.slice(
    Math.max(
      0,
      all.findLastIndex((row) => row.kind === 'fetch'),
    ),
  );
  const newest = new Map(since.map((row) => [row.title, row]));
  return [...newest.values()].map((row) => ({ title: row.title, kind: row.kind, row }));
}

export function phasesOf(box: BoxState, about: About): PhaseOf[] {
  const open = box.session.run !== null && box.session.run.endedAt === null;
  const planned = ofRun(box, about);
  return open && planned.length > 0 ? planned : ofJournal(box, about);
}

export type PhaseState = 'waits' | 'running' | 'passed' | 'failed' | 'cancelled' | 'lost';

export function stateOf({ row }: PhaseOf): PhaseState {
  if (!row) return 'waits';
  return row.state === 'starting' || row.state === 'running' ? 'running' : row.state;
}

/** Seconds since it was started here; the box's clock has no say in it. */
export const sinceStart = (row: JobRow, now: number): number =>
  Math.max(0, (now - Date.parse(row.createdAt)) / 1000);

/** Whether anything of it is on its way. */
export const isUnderWay = (phases: readonly PhaseOf[]): boolean =>
  phases.some(({ row }) => row !== null && !ENDED.includes(row.state));

/** What an ended job did, in its kind's words. */
export function countsText(kind: JobKind, counts: Counts | null): string {
  if (!counts) return '';
  const { changed, ok, failed, skipped } = counts;
  const say = (n: number, text: string) => (n > 0 ? [text] : []);
  switch (kind) {
    case 'fetch':
      return [...say(changed, `${plural(changed, 'file')} fetched`), ...say(ok, `${ok} were there`)].join(
        ', ',
      );
    case 'checks':
    case 'image':
    case 'preflight':
      return [
        ...say(ok, `${ok} passed`),
        ...say(failed, `${failed} failed`),
        ...say(skipped, `${skipped} not run`),
      ].join(', ');
    case 'drift':
      return changed ? `${plural(changed, 'setting')} differ` : 'nothing differs';
    case 'reboot':
      return changed ? 'rebooted' : 'no reboot was due';
    case 'bootstrap':
    case 'layer':
    case 'harden':
    case 'uid_swap':
    case 'selftest':
    case 'flash':
    case 'flash_box':
    case 'keys': {
      const words = [`changed ${changed}`, ...say(failed, `failed ${failed}`)];
      return words.join(', ');
    }
  }
}
