/** Bodies of every kind of event, each in the forms that the box writes, and the line around them. */
import type { EventKind } from '../../../preload/contract/events.ts';

const CHECK = {
  id: 'gpu_count',
  title: 'Number of GPUs',
  layer: null,
  suite: 'gpu-detection',
  verdict: 'pass',
  value: 4,
  unit: null,
  threshold: '4',
  source: 'the profile',
  reason: null,
  nextAction: null,
  evidence: 'GPU 0: …',
  seconds: 0.4,
};

export const BODIES: Record<EventKind, Record<string, unknown>[]> = {
  started: [
    {
      jobKind: 'layer',
      title: 'Layer 1',
      specSha256: 'c'.repeat(64),
      runner: '0.1.0',
      pid: 4711,
      laptop: { name: 'lap-7', user: 'kim' },
    },
  ],
  step: [
    { id: 'l1', title: 'Layer 1', state: 'begin', watchdog: null, nominalSeconds: null },
    {
      id: 'l1',
      title: 'Layer 1',
      state: 'begin',
      watchdog: { seconds: 900, reason: 'apt is slow' },
      nominalSeconds: 180,
    },
    { id: 'l1', title: 'Layer 1', state: 'end', outcome: 'ok', seconds: 12.5, detail: null },
    { id: 'l1', title: 'Layer 1', state: 'end', outcome: 'skipped', seconds: 0, detail: 'done before' },
  ],
  task: [
    { step: 'l1', index: 3, total: 40, name: 'Install curl', role: 'base', state: 'begin' },
    { step: null, index: 0, total: null, name: 'x', role: null, state: 'failed', seconds: 1, detail: 'no' },
  ],
  progress: [
    { step: 'files', phase: 'files', done: 10, total: 100, unit: 'bytes' },
    { step: null, phase: 'files of kim', done: 1, total: null, unit: 'files' },
  ],
  samples: [
    {
      source: 'gpu',
      fields: ['temperature.gpu', 'clocks_event_reasons.active'],
      rows: [
        [1.5, 0, 40, '0x0000000000000004'],
        [1.5, 1, null, null],
      ],
    },
  ],
  check: [
    { check: CHECK },
    { check: { ...CHECK, verdict: 'not_run', reason: 'no GPU in this VM', value: null, threshold: null } },
    { check: { ...CHECK, value: true } },
  ],
  facts: [{ facts: { v: 1, root: true, clock: { epoch: 1.5 }, evidence: 'real', unreadable: {} } }],
  log: [{ step: null, stream: 'note', text: 'größer\n\u2028' }],
  beat: [{ step: 'l1', quietSeconds: 2.01 }],
  waiting: [{ for: 'apt lock', detail: 'apt (812)', state: 'begin' }],
  finished: [
    { outcome: 'passed', code: null, detail: null, counts: null, seconds: 60 },
    {
      outcome: 'failed',
      code: 'ansible_failed',
      detail: 'Install curl: no',
      counts: { ok: 1, changed: 0, failed: 1, skipped: 0 },
      seconds: 1,
    },
  ],
};

export const line = (
  kind: string,
  body: Record<string, unknown>,
  envelope: Record<string, unknown> = {},
): string =>
  JSON.stringify({
    v: 1,
    job: '3f1c6e9a-0000-4000-8000-000000000001',
    attempt: 1,
    seq: 1,
    boot: 'b5a4f1d2-0000-4000-8000-000000000001',
    mono: 12.345,
    t: '2026-11-24T05:00:00.000Z',
    kind,
    prev: 'd'.repeat(64),
    evidence: 'real',
    ...body,
    ...envelope,
  });
