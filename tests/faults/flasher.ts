/**
 * The app in a process of its own: `flasher.ts ORDERS`, a JSON object, flashes as the command line does, which offers neither a loop device
 * nor a disk without a serial. At its moment it ends itself as `kill -9` does; where it ends before, it prints how as one line of JSON.
 */
import { Journal } from '../../main/journal/journal.ts';
import { join } from 'node:path';
import { openApp } from '../../main/services/app.ts';
import { flashBox, type BoxTarget } from '../../main/services/flash/boxflash.ts';
import { flash, type FlashResult, type FlashTarget } from '../../main/services/flash/flash.ts';
import { Secrets } from '../../main/services/secrets.ts';
import { endOf } from '../integration/flash.ts';
import { isThere, striking, type Moment, type Part } from './moments.ts';

export type Orders = { home: string; image: string } & (
  | { of: 'laptop'; target: FlashTarget; moment: Moment }
  | { of: 'box'; target: BoxTarget; box: string; loginPassword: string; part: Part }
);

const die = (): void => void process.kill(process.pid, 'SIGKILL');
const signal = new AbortController().signal;

async function atLaptop(o: Extract<Orders, { of: 'laptop' }>): Promise<FlashResult> {
  const journal = Journal.open(join(o.home, 'journal.db'));
  const laptop = { name: 'laptop', user: 'kim' };
  try {
    return await flash(
      { home: o.home, journal, laptop, version: 'test' },
      { image: o.image, target: o.target, launch: striking(o.moment, die), signal },
    );
  } finally {
    journal.close();
  }
}

async function ofBox(o: Extract<Orders, { of: 'box' }>): Promise<FlashResult> {
  const person = {
    confirmHostKey: async () => false,
    confirmReboot: async () => false,
    note: () => undefined,
    link: () => undefined,
  };
  const app = openApp(person, { home: o.home });
  const session = app.journal.sessionByName(o.box);
  if (!session) throw new Error(`the journal knows no box ${o.box}`);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await flashBox(app, session, new Secrets(async () => null, { loginPassword: o.loginPassword }), {
      ...{ image: o.image, target: o.target, signal, giveUpAfterMs: 60_000, onNote: () => undefined },
      onLook: () => undefined,
      onProgress: (now) => {
        if (isThere(o.part, now)) timer ??= setTimeout(die, o.part.moreMs);
      },
    });
  } finally {
    clearTimeout(timer);
    app.close();
  }
}

const orders = JSON.parse(process.argv[2] ?? '') as Orders;
const result = orders.of === 'laptop' ? await atLaptop(orders) : await ofBox(orders);
console.log(JSON.stringify(endOf(result)));
