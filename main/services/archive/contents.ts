/** What lies in a hand-over archive: every file, made from the journal alone. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportSchema, type Report } from '../../../preload/contract/report.ts';
import type { Journal } from '../../journal/journal.ts';
import { productRoot } from '../paths.ts';
import { gatherReport, type KeepAttempt } from '../report/gather.ts';
import { scriptJson } from '../report/markup.ts';
import { page } from '../report/page.ts';
import { BlockWriter, blocks } from './blocks.ts';
import { TelemetryCsv } from './csv.ts';
import { attemptFolder, fileName, sha256, SUMS } from './names.ts';
import { junit } from './junit.ts';
import { serialOf, statement } from './statement.ts';
import { pack, Packer } from './zip.ts';
import { type PackedEntry } from './zipform.ts';

/** One file on its way into the archive. */
class Adding {
  readonly #packer = new Packer();
  readonly #hash = createHash('sha256');

  add(block: Buffer): void {
    this.#hash.update(block);
    this.#packer.add(block);
  }

  /** Its packing may go on after; with what SHA256SUMS says of it. */
  end(name: string): { packed: Promise<PackedEntry>; sum: string } {
    const packed = this.#packer.end(name);
    // Awaited at the end, all together; until then its failure is nobody's.
    packed.catch(() => undefined);
    return { packed, sum: `${this.#hash.digest('hex')}  ${name}\n` };
  }
}

/** Files packed as they come, and the list of them. */
class Packing {
  readonly #packed: Promise<PackedEntry>[] = [];
  readonly #sums: { name: string; sum: string }[] = [];

  /** Begins to pack it. */
  add(name: string, content: Buffer | string): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const adding = new Adding();
    for (const block of blocks(bytes)) adding.add(block);
    this.end(name, adding);
  }

  end(name: string, adding: Adding): void {
    const { packed, sum } = adding.end(name);
    this.#packed.push(packed);
    this.#sums.push({ name, sum });
  }

  /** The last of them is the list of the others, as sha256sum writes it. */
  async all(): Promise<PackedEntry[]> {
    const sums = this.#sums.sort((a, b) => (a.name < b.name ? -1 : 1));
    return Promise.all([...this.#packed, pack(SUMS, Buffer.from(sums.map(({ sum }) => sum).join('')))]);
  }
}

/** Lines and telemetry of every attempt, packed while they are read for the report: none of it is ever there as a whole. */
function keeping(packing: Packing, journal: Journal): KeepAttempt {
  let index = 0;
  return (row) => {
    const folder = attemptFolder(index++, row);
    const log = new Adding();
    const lines = new BlockWriter((block) => log.add(block));
    const tables: Adding[] = [];
    const csv = new TelemetryCsv(() => {
      const table = new Adding();
      tables.push(table);
      return (block) => table.add(block);
    });
    return {
      line: ({ line, event }) => {
        lines.line(line);
        csv.add(event);
      },
      end: () => {
        packing.add(`${folder}/spec.json`, journal.specBytes(row.job, row.attempt));
        lines.end();
        packing.end(`${folder}/events.jsonl`, log);
        for (const { name, index: i } of csv.end(folder)) {
          const table = tables[i];
          if (table) packing.end(name, table);
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
