/** What lies in a hand-over archive: every file, made from the journal alone. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobRow } from '../../../preload/contract/job.ts';
import { reportSchema, type Report } from '../../../preload/contract/report.ts';
import type { Journal } from '../../journal/journal.ts';
import { productRoot } from '../paths.ts';
import { gatherReport, type KeepAttempt } from '../report/gather.ts';
import { scriptJson } from '../report/markup.ts';
import { page } from '../report/page.ts';
import { TelemetryCsv } from './csv.ts';
import { GrowingBytes } from './grow.ts';
import { junit } from './junit.ts';
import { serialOf, statement } from './statement.ts';
import { pack, type PackedEntry } from './zip.ts';

export const SUMS = 'SHA256SUMS';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Letters, digits, dots, dashes; what is anything else becomes one dash. */
export const fileName = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 80) || 'unnamed';

/** The folder of an attempt; in order of time by its number. */
export const attemptFolder = (
  index: number,
  { kind, job, attempt }: Pick<JobRow, 'kind' | 'job' | 'attempt'>,
) => `attempts/${String(index + 1).padStart(4, '0')}-${fileName(kind)}-${job.slice(0, 8)}-${attempt}`;

/** Files packed as they come, with what SHA256SUMS says of them. */
class Packing {
  readonly #packed: Promise<PackedEntry>[] = [];
  readonly #sums: { name: string; sum: string }[] = [];

  /** Begins to pack it. */
  add(name: string, content: Buffer | string): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    this.#sums.push({ name, sum: sha256(bytes) });
    const packed = pack(name, bytes);
    // Awaited at the end, all together; until then its failure is nobody's.
    packed.catch(() => undefined);
    this.#packed.push(packed);
  }

  /** The last of them is the list of the others, as sha256sum writes it. */
  async all(): Promise<PackedEntry[]> {
    const sums = this.#sums.sort((a, b) => (a.name < b.name ? -1 : 1));
    const text = sums.map(({ name, sum }) => `${sum}  ${name}\n`).join('');
    return Promise.all([...this.#packed, pack(SUMS, Buffer.from(text))]);
  }
}

/** Lines and telemetry of every attempt, as they are read for the report. */
function keeping(packing: Packing, journal: Journal): KeepAttempt {
  let index = 0;
  return (row) => {
    const folder = attemptFolder(index++, row);
    const lines = new GrowingBytes();
    const newline = Buffer.from('\n');
    const csv = new TelemetryCsv();
    return {
      line: ({ line, event }) => {
        lines.add(line);
        lines.add(newline);
        csv.add(event);
      },
      end: () => {
        packing.add(`${folder}/spec.json`, journal.specBytes(row.job, row.attempt));
        packing.add(`${folder}/events.jsonl`, lines.all());
        const files = csv.files();
        for (const [i, { source, bytes }] of files.entries()) {
          const name = `${fileName(source)}${files.length > 1 ? `-${i + 1}` : ''}`;
          packing.add(`telemetry/${folder.slice('attempts/'.length)}-${name}.csv`, bytes);
        }
      },
    };
  };
}

function evidence(packing: Packing, report: Report): void {
  for (const part of report.parts) {
    for (const [i, { result }] of part.checks.entries()) {
      if (result.evidence === null) continue;
      const name = `${String(i + 1).padStart(3, '0')}-${fileName(result.id)}`;
      packing.add(`evidence/${fileName(part.id)}/${name}.txt`, `${result.evidence}\n`);
    }
  }
}

export interface Contents {
  report: Report;
  /** The page as it lies in the archive. */
  html: string;
  json: string;
  /** To be joined when report.pdf was added, or was not to be had. */
  add(name: string, content: Buffer | string): void;
  entries(): Promise<PackedEntry[]>;
}

/** Errors: those of gatherReport. */
export function contents(journal: Journal, sessionId: string, app: string): Contents {
  const packing = new Packing();
  const report = gatherReport(journal, sessionId, app, keeping(packing, journal));
  const json = `${scriptJson(report)}\n`;
  const html = page(report, json.trimEnd());
  packing.add('report.json', json);
  packing.add('report.html', html);
  packing.add('report.schema.json', `${JSON.stringify(reportSchema(), null, 2)}\n`);
  packing.add('junit.xml', junit(report));
  const signed = statement(report, sha256(Buffer.from(json)));
  packing.add('statement.json', `${JSON.stringify(signed, null, 2)}\n`);
  packing.add('README.txt', readFileSync(join(productRoot(), 'resources/report/archive.txt')));
  evidence(packing, report);
  return {
    report,
    html,
    json,
    add: (name, content) => packing.add(name, content),
    entries: () => packing.all(),
  };
}

/** `vault-cube-<serial>-<date>`, the date that of the newest thing recorded, on the laptop's clock. */
export function archiveName(report: Report): string {
  const stamp = report.made.local.slice(0, 19).replace(/[-:]/g, '').replace(' ', '-');
  return `vault-cube-${fileName(serialOf(report))}-${stamp}`;
}
