/** Telemetry of one attempt as CSV, a file a source: every sample as it was measured, none left out. */
import type { JobEvent, SampleRow } from '../../../preload/contract/events.ts';
import { BlockWriter } from './blocks.ts';
import { fileName } from './names.ts';

/** RFC 4180. An empty cell is what the card does not tell. */
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const COMMA = 0x2c;
const NEWLINE = 0x0a;

/** One CSV file while it grows. */
class Table {
  readonly source: string;
  readonly fields: readonly string[];
  readonly bytes: BlockWriter;

  constructor(source: string, fields: readonly string[], take: TakeBlock) {
    this.source = source;
    this.fields = fields;
    this.bytes = new BlockWriter(take);
    this.bytes.text(`${['boot', 'mono_s', 'series', ...fields].map(cell).join(',')}\n`);
  }

  fits(source: string, fields: readonly string[]): boolean {
    if (source !== this.source || fields.length !== this.fields.length) return false;
    for (let i = 0; i < fields.length; i += 1) if (fields[i] !== this.fields[i]) return false;
    return true;
  }

  add(boot: number, rows: readonly SampleRow[]): void {
    const { bytes } = this;
    const cells = this.fields.length + 2;
    for (const row of rows) {
      bytes.number(boot);
      for (let i = 0; i < cells; i += 1) {
        bytes.ascii(COMMA);
        const value = row[i];
        if (typeof value === 'number') bytes.number(value);
        else if (typeof value === 'string') bytes.text(cell(value));
      }
      bytes.ascii(NEWLINE);
    }
  }
}

/** Gets one file's blocks. */
export type TakeBlock = (block: Buffer) => void;

export class TelemetryCsv {
  /** By source and fields: a driver that tells other fields after a reboot begins another file. */
  readonly #tables: Table[] = [];
  readonly #begin: (index: number) => TakeBlock;
  #newest: Table | null = null;
  #boot: string | null = null;
  #boots = 0;

  /** `begin`: says where the file of this number goes; its name is known at the end. */
  constructor(begin: (index: number) => TakeBlock) {
    this.#begin = begin;
  }

  add(event: JobEvent): void {
    const { boot } = event.env;
    if (this.#boot !== boot) {
      this.#boot = boot;
      this.#boots += 1;
    }
    if (!event.known || event.kind !== 'samples') return;
    const { source, fields, rows } = event.body;
    if (!this.#newest?.fits(source, fields))
      this.#newest = this.#tables.find((t) => t.fits(source, fields)) ?? this.#table(source, fields);
    this.#newest.add(this.#boots, rows);
  }

  #table(source: string, fields: readonly string[]): Table {
    const table = new Table(source, fields, this.#begin(this.#tables.length));
    this.#tables.push(table);
    return table;
  }

  /** Ends every file, and gives their names in an archive, in order. `folder`: of the attempt. */
  end(folder: string): { name: string; index: number }[] {
    for (const { bytes } of this.#tables) bytes.end();
    return this.#tables.map(({ source }, index) => {
      const name = `${fileName(source)}${this.#tables.length > 1 ? `-${index + 1}` : ''}`;
      return { name: `telemetry/${folder.slice('attempts/'.length)}-${name}.csv`, index };
    });
  }
}
