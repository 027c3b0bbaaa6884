/**
 * What reads a whole journal or a whole archive, in a process of its own: a day of telemetry takes seconds, and the window's process
 * draws nothing meanwhile. Both ends of it; start.ts makes the process, apart.ts in main is its entry.
 */
import { AppError, asAppError, type ErrorFacts } from '../../preload/contract/errors.ts';
import type { ErrorCode } from '../../preload/contract/errors.ts';
import type { ImageProof } from '../../preload/contract/image-desk.ts';
import type { Verification } from '../../preload/contract/verification.ts';
import { Journal } from '../journal/journal.ts';
import { makeArchive, type Paper, type Print, type Printed } from './archive.ts';
import type { SecretKey } from './archive/minisign.ts';
import { trustedKeys } from './archive/trust.ts';
import { proveSet } from './image/set.ts';
import { reportPage } from './report.ts';
import { writeTelemetry } from './telemetryfiles.ts';
import { verifyArchive } from './verify.ts';

export type Order =
  | {
      kind: 'archive';
      journal: string;
      session: string;
      folder: string;
      version: string;
      key: SecretKey | null;
      paper: Paper;
    }
  | { kind: 'preview'; journal: string; session: string; version: string }
  | { kind: 'telemetry'; journal: string; session: string; job: string; attempt: number; folder: string }
  | { kind: 'verify'; path: string; home: string; version: string }
  | { kind: 'proveSet'; dir: string; home: string };

/** What crosses back of an archive that was made. */
export interface Made {
  zip: string;
  signature: string | null;
  noPdf: string | null;
  sha256: string;
}
interface Answers {
  archive: Made;
  preview: string;
  /** Paths. */
  telemetry: string[];
  verify: Verification;
  proveSet: ImageProof;
}
export type Answer<K extends Order['kind']> = Answers[K];

/** To the process: the order, then what was printed where it asked for that. */
export type ToApart = { order: Order } | { printed: Printed };
export type FromApart =
  | { print: { html: string; paper: Paper } }
  | { answer: Answers[keyof Answers] }
  | { error: { code: ErrorCode; facts: ErrorFacts } };

/** The process as its maker sees it. */
export interface ApartProcess {
  send(message: ToApart): void;
  onMessage(listener: (message: FromApart) => void): void;
  /** `why`: in a few words. */
  onExit(listener: (why: string) => void): void;
  end(): void;
}

/** Buffers come out of a message as plain bytes. */
const keyOf = ({ id, seed, key }: SecretKey): SecretKey => ({
  ...{ id: Buffer.from(id), seed: Buffer.from(seed), key: Buffer.from(key) },
});

async function withJournal<T>(path: string, fn: (journal: Journal) => T | Promise<T>): Promise<T> {
  const journal = Journal.open(path, { readOnly: true });
  try {
    return await fn(journal);
  } finally {
    journal.close();
  }
}

async function work(order: Order, print: Print): Promise<Answers[keyof Answers]> {
  switch (order.kind) {
    case 'archive': {
      const { session, folder, version: appVersion, paper } = order;
      const key = order.key && keyOf(order.key);
      const made = await withJournal(order.journal, (journal) =>
        makeArchive(journal, session, folder, { appVersion, key, print, paper }),
      );
      const { zip, signature, noPdf, sha256 } = made;
      return { zip, signature, noPdf, sha256 };
    }
    case 'preview':
      return withJournal(order.journal, (journal) => reportPage(journal, order.session, order.version));
    case 'telemetry': {
      const { session, folder, job, attempt } = order;
      return withJournal(order.journal, (journal) =>
        writeTelemetry(journal, session, folder, { job, attempt }),
      );
    }
    case 'verify':
      return verifyArchive(order.path, { trusted: trustedKeys(order.home), version: order.version });
    case 'proveSet':
      return proveSet(order.dir, trustedKeys(order.home));
  }
}

/** In the process: answers one order. `printed` resolves with what the other side printed. */
export async function answerApart(
  order: Order,
  send: (message: FromApart) => void,
  printed: () => Promise<Printed>,
): Promise<void> {
  const print: Print = async (html, paper) => {
    const answer = printed();
    send({ print: { html: await html, paper } });
    return answer;
  };
  try {
    send({ answer: await work(order, print) });
  } catch (error) {
    const { code, facts } = asAppError(error);
    send({ error: { code, facts } });
  }
}

/** Gives one order to a process of its own. Errors: those of the work; internal where the process ended. */
export function doApart<K extends Order['kind']>(
  child: ApartProcess,
  order: Extract<Order, { kind: K }>,
  print: Print,
): Promise<Answer<K>> {
  return new Promise<Answer<K>>((resolve, reject) => {
    child.onExit((why) => reject(new AppError('internal', { detail: `the work ended early: ${why}` })));
    child.onMessage((message) => {
      if ('print' in message) {
        const { html, paper } = message.print;
        void print(html, paper).then((printed) => child.send({ printed }));
      } else if ('error' in message) reject(new AppError(message.error.code, message.error.facts));
      else resolve(message.answer as Answer<K>);
    });
    child.send({ order });
  }).finally(() => child.end());
}
