/** Words that several places of the window share, so that the same thing has the same name everywhere. */
import type { BoxState, Link } from '../preload/contract/calls.ts';
import type { Evidence } from '../preload/contract/outcome.ts';
import type { Gate } from '../preload/contract/parts.ts';
import type { StepState } from '../preload/contract/steps.ts';

export const linkWord = ({ state }: Link): string => state ?? 'not connected';

/** Why something that needs the link waits; null while it is live. */
export function waitsForLink({ state }: Link): string | null {
  if (state === 'live') return null;
  return state === null ? 'Not connected: go to Connect first.' : 'Waits for the link to come back.';
}

export const GATE_WORDS: Record<Gate['id'], string> = {
  ship: 'Ready to ship',
  production: 'Ready for production',
};

export const STEP_LOOKS: Record<StepState, { icon: string; word: string }> = {
  done: { icon: '✓', word: 'done' },
  running: { icon: '▶', word: 'running' },
  ready: { icon: '○', word: 'ready' },
  blocked: { icon: '·', word: 'blocked' },
  stale: { icon: '↻', word: 'out of date' },
  failed: { icon: '✕', word: 'failed' },
};

/** What the striped bar says; null for a real box. */
export function marking({ practice, standing }: Pick<BoxState, 'practice' | 'standing'>): string | null {
  const weakest: Evidence | null = practice ? 'practice' : standing.evidence;
  if (weakest === 'practice') return 'PRACTICE';
  return weakest === 'stand-in' ? 'STAND-IN' : null;
}

/** A time as this laptop's clock has it, to the minute. */
export function timeOf(iso: string): string {
  const at = new Date(iso);
  return at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short', hour12: false });
}
