/** The hash chain of an event log: what the next line of an attempt must be (docs/adr/0002-job-mechanism.md). */
import { createHash, hash } from 'node:crypto';
import { parseEvent, type JobEvent } from '../../preload/contract/events.ts';

/** Where a log stands: `sha256` is that of the last line, or of the spec before the first. */
export interface ChainEnd {
  job: string;
  attempt: number;
  seq: number;
  sha256: string;
}

export interface CheckedLine {
  line: Buffer;
  sha256: string;
  event: JobEvent;
}

/** A short line in one call, which takes half of the time; it is not there in the browser's build of this file. */
export const sha256Hex: (bytes: Uint8Array) => string =
  typeof hash === 'function'
    ? (bytes) => hash('sha256', bytes)
    : (bytes) => createHash('sha256').update(bytes).digest('hex');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads one line without its newline. Throws an Error that says what is wrong with it. */
export function readLine(line: Buffer): JobEvent {
  if (line.includes(0x0a)) throw new Error('there is a newline inside a line');
  let text: string;
  try {
    text = utf8.decode(line);
  } catch {
    throw new Error('a line is not UTF-8');
  }
  try {
    return parseEvent(text);
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not whole JSON' : 'its envelope is not as it must be';
    throw new Error(`a line cannot be read: ${why}`, { cause: error });
  }
}

/** What is wrong with `event` as the line after `end`, or null. */
export function breach(end: ChainEnd, { env }: JobEvent): string | null {
  if (env.job !== end.job) return `line ${env.seq} belongs to job ${env.job}`;
  if (env.attempt !== end.attempt) return `line ${env.seq} belongs to attempt ${env.attempt}`;
  if (env.seq !== end.seq + 1) return `line ${end.seq + 1} is due and line ${env.seq} came`;
  if (env.prev !== end.sha256) {
    const before = end.seq === 0 ? 'spec' : `line ${end.seq}`;
    return `line ${env.seq} does not follow the ${before} that is recorded here`;
  }
  return null;
}
