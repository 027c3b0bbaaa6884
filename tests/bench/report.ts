/** The hand-over archive of a box with 24 h of telemetry of four GPUs, made from the journal. Last line: JSON. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../main/journal/journal.ts';
import { makeArchive, type Print } from '../../main/services/archive.ts';
import { newSecretKey } from '../../main/services/archive/minisign.ts';
import { printPage } from '../../main/services/print.ts';
import { LogWriter, makeSpec } from '../unit/journal/log.ts';
import { boxSession, plans, play, TELEMETRY_FIELDS } from '../unit/report/box.ts';

const SECONDS = Number(process.argv[2] ?? 86_400);
const GPUS = 4;

/** The same numbers in each run; spread as those of cards under load are. */
let seed = 1;
const random = () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
const around = (from: number, wide: number, digits = 0) => Number((from + random() * wide).toFixed(digits));

function row(second: number, gpu: number): (number | string)[] {
  const time = Number((100 + second + gpu * 0.004).toFixed(3));
  const [load, memory, heat, watts] = [
    around(95, 5),
    around(31_000, 200),
    around(60, 10),
    around(560, 15, 2),
  ];
  const clock = 2400 + 15 * around(0, 20);
  return [time, gpu, load, memory, 32_607, heat, watts, 575, clock, 14_001, around(50, 10), 5, 16, '0x4'];
}

function fill(journal: Journal): string {
  const session = boxSession();
  journal.saveSession(session);
  for (const plan of plans()) play(journal, session, plan);
  const params = { suite: 'stress', checks: [] };
  const { spec, bytes } = makeSpec({ kind: 'checks', title: 'T7 Stress', params });
  journal.createAttempt(session.id, spec, bytes);
  const log = new LogWriter(spec, bytes);
  log.evidence = 'real';
  let lines = [log.started()];
  for (let second = 0; second < SECONDS; second += 1) {
    const rows = Array.from({ length: GPUS }, (_, gpu) => row(second, gpu));
    lines.push(log.line('samples', { source: 'gpu', fields: TELEMETRY_FIELDS, rows }, 1));
    if (lines.length < 5000) continue;
    journal.append(spec.job, 1, lines);
    lines = [];
  }
  journal.append(spec.job, 1, [...lines, log.finished('passed', { seconds: SECONDS })]);
  return session.id;
}

const dir = mkdtempSync(join(tmpdir(), 'vc-bench-report-'));
try {
  const path = join(dir, 'journal.db');
  const writing = Journal.open(path);
  const id = fill(writing);
  writing.close();
  // As the command does it: the journal is opened anew.
  const cpu = process.cpuUsage();
  const began = performance.now();
  const journal = Journal.open(path, { readOnly: true });
  const key = newSecretKey();
  let printed = 0;
  const print: Print = async (html, paper) => {
    const from = performance.now();
    const answer = await printPage(html, paper);
    printed = (performance.now() - from) / 1000;
    return answer;
  };
  const made = await makeArchive(journal, id, join(dir, 'out'), { appVersion: 'bench', key, print });
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  journal.close();
  const told = { seconds, printed: made.noPdf === null ? printed : null, noPdf: made.noPdf };
  console.log(
    JSON.stringify({
      ...told,
      cpuSeconds: (user + system) / 1e6,
      bytes: made.bytes,
      rows: SECONDS * GPUS,
    }),
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
