/** How builds of images and their stages stand, in icons and words: never by colour alone. */
import type { BuildRun, StageRun } from '../../preload/contract/image-desk.ts';

interface Look {
  icon: string;
  word: string;
  tone: 'run' | 'pass' | 'fail' | 'muted';
}

export const BUILD_LOOKS: Record<BuildRun['state'], Look> = {
  running: { icon: '▶', word: 'running', tone: 'run' },
  built: { icon: '✓', word: 'built', tone: 'pass' },
  failed: { icon: '✕', word: 'failed', tone: 'fail' },
  cancelled: { icon: '–', word: 'stopped', tone: 'muted' },
  lost: { icon: '?', word: 'lost', tone: 'fail' },
};

export type StageState =
  'waits' | 'not run' | 'running' | 'passed' | 'cached' | 'failed' | 'cancelled' | 'lost';

export const STAGE_LOOKS: Record<StageState, Look> = {
  waits: { icon: '·', word: 'waits', tone: 'muted' },
  'not run': { icon: '–', word: 'not run', tone: 'muted' },
  running: { icon: '▶', word: 'running', tone: 'run' },
  passed: { icon: '✓', word: 'passed', tone: 'pass' },
  cached: { icon: '≡', word: 'from the cache', tone: 'muted' },
  failed: { icon: '✕', word: 'failed', tone: 'fail' },
  cancelled: { icon: '–', word: 'stopped', tone: 'muted' },
  lost: { icon: '?', word: 'lost', tone: 'fail' },
};

/** `run` null: it has not begun, and does so only while the build is on its way. */
export function stageState(run: StageRun | null, building: boolean): StageState {
  if (!run) return building ? 'waits' : 'not run';
  if (run.state === 'starting' || run.state === 'running') return 'running';
  return run.state === 'passed' && run.cache ? 'cached' : run.state;
}

/** The first letter of a sentence that the core continues. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
