/** The validation suites: what people call them, which of them this version runs, and what they need. */
import type { Framework } from './profile-load.ts';
import type { Part } from './parts.ts';

/** Whether this version runs them or not; another is called by its id. */
export const SUITE_TITLES: Readonly<Record<string, string>> = {
  'gpu-detection': 'T1 GPU detection',
  'pytorch-ddp': 'T2 PyTorch DDP',
  tensorflow: 'T3 TensorFlow',
  vllm: 'T4 vLLM',
  'docker-gpu': 'T5 Docker GPU',
  performance: 'T6 Performance',
  stress: 'T7 Stress',
  integration: 'T8 Integration',
  roles: 'T9 Roles',
};

export interface SuiteHere {
  /** How long it takes on a customer's box, as the specification has it; for comparison only. */
  nominalSeconds: number;
  /** Layers that must have been installed; empty for one that only looks at the machine. */
  needs: readonly number[];
  /** What it does that an engineer should know before it is started; null where it only looks. */
  warning: string | null;
  /** Whether it puts the GPUs under load, which waits for somebody who agrees (supply.ts). */
  load: boolean;
  /** What of layer 4 it needs: the environment of one framework. */
  framework?: Framework;
  /** Whether practice boxes have a recording of it to replay (resources/practice). */
  practice?: true;
}

const FRAMEWORKS_LAYER = 4;

const SUITES: Readonly<Record<string, SuiteHere>> = {
  'gpu-detection': { nominalSeconds: 120, needs: [], warning: null, load: false, practice: true },
  'pytorch-ddp': {
    nominalSeconds: 600,
    needs: [4],
    warning: 'Trains on all GPUs.',
    load: true,
    framework: 'torch',
    practice: true,
  },
  tensorflow: {
    nominalSeconds: 300,
    needs: [4],
    warning: 'Computes on all GPUs.',
    load: true,
    framework: 'tensorflow',
  },
  vllm: {
    nominalSeconds: 600,
    needs: [4],
    warning: 'Serves a model on all GPUs.',
    load: true,
    framework: 'vllm',
  },
  'docker-gpu': { nominalSeconds: 180, needs: [3], warning: null, load: false },
  performance: {
    nominalSeconds: 1200,
    needs: [4],
    warning: 'Measures all GPUs, and writes over all their memory.',
    load: true,
    framework: 'torch',
    practice: true,
  },
  stress: {
    nominalSeconds: 86_400,
    needs: [4],
    warning: 'Full load on all GPUs for a day.',
    load: true,
    framework: 'torch',
    practice: true,
  },
  integration: {
    nominalSeconds: 900,
    needs: [1, 2, 3, 4, 5],
    warning: 'Runs the layers once more and reboots the box, which is asked before.',
    load: false,
  },
  roles: { nominalSeconds: 300, needs: [1], warning: null, load: false },
};

/** Run every week, as the specification has it. */
export const WEEKLY_SUITE = 'performance';

/** Those of this version. */
export const SUITES_HERE: readonly string[] = Object.keys(SUITES);

/** T1 first; those that this version does not know last, as they were. */
export function inSuiteOrder(ids: readonly string[]): string[] {
  const at = (id: string) => (SUITES_HERE.includes(id) ? SUITES_HERE.indexOf(id) : SUITES_HERE.length);
  return [...ids].sort((a, b) => at(a) - at(b));
}

/** Those of this version whose layers a box can have; `layers`: the numbers of its profile's. */
export const offeredTo = (layers: readonly number[]): string[] =>
  SUITES_HERE.filter((id) => SUITES[id]?.needs.every((n) => layers.includes(n)));

/** Those that practice boxes replay. */
export const PRACTISED: readonly string[] = SUITES_HERE.filter((id) => SUITES[id]?.practice);

/** What is to be known of a suite of this version; null for another. */
export const suiteHere = (suite: string): SuiteHere | null => SUITES[suite] ?? null;

/** Why a suite cannot be run on a box, null where it can. `layers`: the box's; `own`: frameworks that it has from elsewhere. */
export function suiteBlocked(
  suite: string,
  layers: readonly Pick<Part, 'layer' | 'attempts'>[],
  practice: boolean,
  own: readonly Framework[] = [],
): string | null {
  const here = SUITES[suite];
  if (!here) return 'not in this version';
  if (practice && !here.practice) return 'not on the practice box: no run of it was recorded to be replayed';
  const has = here.framework !== undefined && own.includes(here.framework);
  const needs = here.needs.filter((n) => !(has && n === FRAMEWORKS_LAYER));
  const missing = needs.filter((n) => !layers.some((p) => p.layer === n && p.attempts > 0));
  if (missing.length === 0) return null;
  return `after ${missing.map((n) => `L${n}`).join(', ')}`;
}
