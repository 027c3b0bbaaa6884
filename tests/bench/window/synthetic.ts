/** A day of telemetry that nobody measured: four GPUs, twelve fields, a sample a second, in a journal of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '../../../main/journal/journal.ts';
import { Session } from '../../../preload/contract/session.ts';
import { JobSpec } from '../../../preload/contract/job.ts';
import { LogWriter, makeSpec } from '../../unit/journal/log.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/window');
const GPUS = 4;
const SECONDS = 86_400;
const PAGE = 2_000;

/** As resources/box/vcbox/telemetry.py samples them. */
const FIELDS = [
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'power.draw',
  'power.limit',
  'clocks.current.sm',
  'clocks.current.memory',
  'fan.speed',
  'pcie.link.gen.current',
  'pcie.link.width.current',
  'clocks_event_reasons.active',
];

/** Waves of some minutes with a ripple, so that no second is like the one before; a card slows down once an hour. */
function row(mono: number, second: number, gpu: number): (number | string)[] {
  const wave = Math.sin(second / 97 + gpu) * 0.5 + Math.sin(second * 1.7 + gpu) * 0.1;
  const slow = gpu === 1 && second % 3600 > 3590;
  return [
    mono,
    gpu,
    Math.round(80 + 19 * wave),
    Math.round(70_000 + 4_000 * wave),
    97_887,
    Math.round(66 + 9 * wave),
    Math.round((480 + 90 * wave) * 100) / 100,
    600,
    Math.round(slow ? 900 : 2_300 + 200 * wave),
    14_001,
    Math.round(60 + 30 * wave),
    5,
    16,
    slow ? '0x0000000000000040' : '0x0000000000000000',
  ];
}

export const NAME = 'SYNTHETIC';

const fixture = (name: string) => readFileSync(join(FIXTURES, name), 'utf8');

/** Puts a box without any job into the data folder. */
export function writeBox(home: string): void {
  withBox(home, () => undefined);
}

/** Puts the day into the data folder. All of it is marked as a stand-in's, and the box's name says that it is synthetic. */
export function writeDay(home: string): void {
  const [first = ''] = fixture('gpu-detection.jsonl').split('\n');
  const recorded = JobSpec.parse((JSON.parse(first) as { spec: unknown }).spec);
  const { spec, bytes } = makeSpec({ ...recorded, title: 'T1 GPU detection (synthetic samples of a day)' });
  withBox(home, (journal, session) => {
    journal.createAttempt(session.id, spec, bytes);
    const log = new LogWriter(spec, bytes);
    let lines = [log.started()];
    for (let second = 0; second < SECONDS; second++) {
      const rows = Array.from({ length: GPUS }, (_, gpu) => row(log.mono + 0.9, second, gpu));
      lines.push(log.line('samples', { source: 'gpu', fields: FIELDS, rows }, 1));
      if (lines.length >= PAGE) {
        journal.append(spec.job, spec.attempt, lines);
        lines = [];
      }
    }
    journal.append(spec.job, spec.attempt, [...lines, log.finished()]);
  });
}

function withBox(home: string, fill: (journal: Journal, session: Session) => void): void {
  const session = Session.parse({ ...(JSON.parse(fixture('session.json')) as object), name: NAME });
  const journal = Journal.open(join(home, 'journal.db'));
  try {
    journal.saveSession(session);
    fill(journal, session);
  } finally {
    journal.close();
  }
}
