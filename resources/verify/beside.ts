/** The work of the page, in a worker beside it: a day of telemetry takes seconds, in which the page still answers and says how far it is. */
import { parsePublicKey, publicKeyLine } from '../../main/services/archive/signature.ts';
import type { Tell } from '../../main/services/archive/judge.ts';
import type { TrustedKey } from '../../main/services/archive/trust.ts';
import type { Verification } from '../../preload/contract/verification.ts';
import { look } from './look.ts';

interface Order {
  zip: File;
  signature: File | null;
  trusted: readonly TrustedKey[];
  tell: Tell;
}
export type Answer = { found: Verification } | { failed: string };

/** An order as it goes to the worker: keys as lines of text. */
interface Sent {
  zip: File;
  signature: File | null;
  keys: { name: string; line: string; from: TrustedKey['from'] }[];
}
type Told = { told: Parameters<Tell> } | Answer;

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function answer({ zip, signature, trusted, tell }: Order): Promise<Answer> {
  try {
    return { found: await look(zip, signature, trusted, tell) };
  } catch (error) {
    return { failed: said(error) };
  }
}

/** What of a worker's own world is used here; the types at hand are those of a page. */
interface Scope {
  onmessage: ((event: MessageEvent<Sent>) => void) | null;
  postMessage(told: Told): void;
}

/** In the worker: answers orders. */
export function serve(): void {
  const scope = globalThis as unknown as Scope;
  scope.onmessage = ({ data: { zip, signature, keys } }) => {
    const trusted = keys.map(({ name, line, from }) => ({ name, key: parsePublicKey(line), from }));
    const tell: Tell = (...told) => scope.postMessage({ told });
    void answer({ zip, signature, trusted, tell }).then((a) => scope.postMessage(a));
  };
}

/** On the page: one look at a time, a new one ends the one before. */
export class Beside {
  readonly #url: string;
  #end: () => void = () => undefined;

  /** `script`: what the worker runs. */
  constructor(script: string) {
    this.#url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  }

  /** Null where another look was asked for meanwhile. In a browser that gives a page from a file no worker the page does it by itself, and stands still. */
  async look(order: Order): Promise<Answer | null> {
    this.#end();
    const worker = this.#begin();
    if (!worker) return answer(order);
    return new Promise((resolve) => {
      const end = (given: Answer | null) => {
        worker.terminate();
        resolve(given);
      };
      this.#end = () => end(null);
      let heard = false;
      worker.onmessage = ({ data }: MessageEvent<Told>) => {
        heard = true;
        if ('told' in data) order.tell(...data.told);
        else end(data);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        if (heard) end({ failed: event.message });
        else void answer(order).then(end);
      };
      const { zip, signature, trusted } = order;
      const keys = trusted.map(({ name, key, from }) => ({ name, line: publicKeyLine(key), from }));
      worker.postMessage({ zip, signature, keys } satisfies Sent);
    });
  }

  #begin(): Worker | null {
    try {
      return new Worker(this.#url);
    } catch {
      return null;
    }
  }
}
