/** A flood through one of the window's terminals: how fast it goes, whether anything is lost, and how soon the window answers. */
import type { Page } from '@playwright/test';

export const FLOOD_BYTES = 100_000_000;
/** Ends a flood. Put together by the shell, so that what is typed is not taken for it. */
const END = 'FLOOD-ENDS-HERE';
const TYPED_END = `printf 'FLOOD-ENDS-%s\\n' HERE`;
const LINE = 100;

/** Lines of 99 characters and a newline, each with its number: text that no two programs would make the same by chance. */
export function floodText(): Buffer {
  const text = Buffer.alloc(FLOOD_BYTES, 0x0a);
  for (let at = 0, n = 0; at < FLOOD_BYTES; at += LINE, n++) {
    const words =
      `${n} `.padStart(10, '0') + ((n * 2_654_435_761) >>> 0).toString(36).padStart(7, 'q').repeat(13);
    text.write(words.slice(0, LINE - 1), at, 'latin1');
  }
  return text;
}

/** As the page sums it up, of what a terminal's line discipline makes of the text. */
export function expectedSum(text: Buffer): number {
  let sum = 0;
  for (const byte of text) {
    if (byte === 0x0a) sum = (Math.imul(sum, 31) + 0x0d) | 0;
    sum = (Math.imul(sum, 31) + byte) | 0;
  }
  return sum;
}

/** With the carriage return that a terminal puts before each newline. */
export const FLOOD_CHARACTERS = FLOOD_BYTES + FLOOD_BYTES / LINE;

const FRESH = `{ received: 0, acknowledged: 0, messages: 0, left: ${FLOOD_CHARACTERS}, sum: 0, after: '', first: null, ended: null, drawn: null }`;

/**
 * Put into the page before its own code: sums up what comes through a terminal's port from the first character of the flood
 * on, and sees when the terminal has acknowledged all of it as drawn.
 */
export const WATCH_PORTS = `(() => {
  const watch = (window.flood = ${FRESH});
  const begin = '${'0'.padStart(9, '0')} ';
  const own = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage');
  const come = (text) => {
    watch.received += text.length;
    watch.messages += 1;
    let from = 0;
    if (watch.first === null) {
      from = text.indexOf(begin);
      if (from < 0) return;
      watch.first = performance.now();
    }
    const to = Math.min(text.length, from + watch.left);
    let sum = watch.sum;
    for (let i = from; i < to; i++) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
    watch.sum = sum;
    watch.left -= to - from;
    if (watch.left > 0 || watch.ended !== null) return;
    watch.after += text.slice(to);
    if (watch.after.includes('${END}')) watch.ended = watch.received;
  };
  Object.defineProperty(MessagePort.prototype, 'onmessage', {
    ...own,
    set(listener) {
      own.set.call(this, (event) => {
        if (event.data?.type === 'output') come(event.data.data);
        listener(event);
      });
    },
  });
  const post = MessagePort.prototype.postMessage;
  MessagePort.prototype.postMessage = function (message, ...rest) {
    if (message?.type === 'ack') {
      watch.acknowledged += message.characters;
      if (watch.ended !== null && watch.drawn === null && watch.acknowledged >= watch.ended) watch.drawn = performance.now();
    }
    return post.call(this, message, ...rest);
  };
})()`;

/**
 * In the page, until the flood is drawn: asks main something again and again, and takes each key's way from where the browser
 * took it to the frame that follows its handling. Resolves to the longest of each, in ms.
 */
const ANSWERS = `(async () => {
  const longest = { main: 0, key: 0, keys: 0, calls: 0 };
  const frames = new MessageChannel();
  addEventListener('keydown', (event) => {
    requestAnimationFrame(() => {
      // After the frame is handed on, not before it is made.
      setTimeout(() => {
        longest.keys += 1;
        longest.key = Math.max(longest.key, performance.now() - event.timeStamp);
      }, 0);
    });
  }, true);
  while (window.flood.drawn === null) {
    const from = performance.now();
    await window.api.call['app.info']();
    longest.calls += 1;
    longest.main = Math.max(longest.main, performance.now() - from);
    await new Promise((go) => setTimeout(go, 10));
  }
  const { sum, left, after, messages, first, drawn } = window.flood;
  return { ...longest, sum, left, after, messages, ms: drawn - first };
})()`;

export interface Flood {
  /** From the first character that came to the last one drawn. */
  ms: number;
  sum: number;
  /** Characters that did not come; and what came behind the last one. */
  left: number;
  after: string;
  messages: number;
  /** The longest that main took for an answer, and a key until the frame after it, in ms. */
  main: number;
  key: number;
  keys: number;
  calls: number;
}

/** Whether every character came, in order, and nothing between the last one and the end. */
export const isWhole = ({ sum, left, after }: Flood, expected: number): boolean =>
  sum === expected && left === 0 && after.startsWith(END);

const KEY_MS = 150;

/** Types the command into the terminal that has the focus, and watches until all of it is drawn. */
export async function flood(page: Page, path: string): Promise<Flood> {
  await page.evaluate(`void Object.assign(window.flood, ${FRESH})`);
  await page.keyboard.type(`cat ${path}; ${TYPED_END}`);
  await page.keyboard.press('Enter');
  const told = page.evaluate<Flood>(ANSWERS);
  let over = false;
  void told.finally(() => (over = true));
  // Shift alone: every terminal takes it and no shell hears of it.
  while (!over) {
    await page.keyboard.press('Shift');
    await new Promise((go) => setTimeout(go, KEY_MS));
  }
  return told;
}
