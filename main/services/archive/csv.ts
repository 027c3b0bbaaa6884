/** Telemetry of one attempt as CSV, a file a source: every sample as it was measured, none left out. */
import type { JobEvent } from '../../../preload/contract/events.ts';
import { GrowingBytes } from './grow.ts';

type Cell = string | number | null | undefined;

/** RFC 4180. An empty cell is what the card does not tell. */
const cell = (value: Cell): string => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
};

export class TelemetryCsv {
  /** By source and fields: a driver that tells other fields after a reboot begins another file. */
  readonly #files = new Map<string, { source: string; bytes: GrowingBytes }>();
  #boots: string[] = [];

  add({ env, ...event }: JobEvent): void {
    if (this.#boots.at(-1) !== env.boot) this.#boots.push(env.boot);
    if (!event.known || event.kind !== 'samples') return;
    const { source, fields, rows } = event.body;
    const head = ['boot', 'mono_s', 'series', ...fields].map(cell).join(',');
    const key = `${source}\n${head}`;
    let file = this.#files.get(key);
    if (!file) {
      this.#files.set(key, (file = { source, bytes: new GrowingBytes() }));
      file.bytes.text(`${head}\n`);
    }
    let text = '';
    for (const row of rows) {
      text += this.#boots.length;
      for (let i = 0; i < fields.length + 2; i += 1) text += `,${cell(row[i])}`;
      text += '\n';
    }
    file.bytes.text(text);
  }

  files(): { source: string; bytes: Buffer }[] {
    return [...this.#files.values()].map(({ source, bytes }) => ({ source, bytes: bytes.all() }));
  }
}
