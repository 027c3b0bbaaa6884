/** A flash of a box's disk, before there is a connection and after there is a result: what is refused here, and how a job's end is told. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openApp, type App } from '../../../main/services/app.ts';
import { boxFlashError, flashBox } from '../../../main/services/flash/boxflash.ts';
import type { JobEnd } from '../../../main/services/jobs.ts';
import { Secrets } from '../../../main/services/secrets.ts';
import { newSession } from '../../../main/services/sessions.ts';
import { EMPTY_JOB } from '../../../preload/contract/reduce.ts';
import { makeSpec } from '../journal/log.ts';
import { MIB, writeDisk } from './partitions.ts';

const PERSON = {
  confirmHostKey: async () => false,
  confirmReboot: async () => false,
  note: () => undefined,
  link: () => undefined,
};

let dir: string;
let app: App;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-boxflash-'));
  app = openApp(PERSON, { home: join(dir, 'home') });
});
afterEach(() => {
  app.close();
  rmSync(dir, { recursive: true, force: true });
});

it('a stream that turns out larger than the disk is refused before the box is asked anything, and nothing of the session is changed', async () => {
  const image = join(dir, 'image.raw.gz');
  const size = 9 * MIB;
  const raw = join(dir, 'image.raw');
  writeDisk(raw, { size: size + 512, partitions: [], data: [] });
  writeFileSync(image, gzipSync(readFileSync(raw)));
  // Nobody listens there: whoever dials is told so at once.
  const address = { host: '127.0.0.1', port: 1 };
  const session = newSession({
    name: 'VC-1',
    profile: 'vault-cube',
    path: 'flash',
    address,
    user: 'installer',
  });
  app.journal.saveSession(session);
  const order = {
    ...{ image, signal: new AbortController().signal, giveUpAfterMs: 0 },
    ...{ onNote: () => undefined, onLook: () => undefined },
    target: { kind: 'disk', path: '/dev/nvme0n1', serial: 'S1', size, name: 'SSD (S1)' } as const,
  };
  const error: unknown = await flashBox(app, session, new Secrets(async () => null), order).catch(
    (e: unknown) => e,
  );
  expect(error).toMatchObject({
    code: 'flash_target_size',
    message: `The image does not fit SSD (S1): it has ${size} bytes, and the disk in the image ${size + 512}.`,
  });
  expect(app.journal.session(session.id)).toEqual(session);
  expect(app.journal.jobs(session.id)).toEqual([]);
});

const NAMES = { target: 'SSD (S1)', image: '/images/a.qcow2', box: 'VC-1' };

function endOf(
  code: string | null,
  detail: string | null,
  state: 'failed' | 'cancelled' | 'lost' = 'failed',
) {
  const { spec } = makeSpec({ kind: 'flash_box', title: 'Flash SSD (S1)' });
  const { job, attempt, kind, title } = spec;
  const row = { job, attempt, kind, title, spec, session: 's', specSha256: '', createdAt: '', state };
  const end: JobEnd = { row: { ...row, evidence: 'stand-in' }, view: { ...EMPTY_JOB, state, code, detail } };
  const { code: told, message, nextAction, retryable } = boxFlashError(end, NAMES).toReply();
  return { code: told, message, nextAction, retryable };
}

it('a job that found another machine names the box, both of its marks, and what to look at; the same order would find it again', () => {
  const found = 'this machine has boardSerial B-2, the one that was meant B-1';
  const told = endOf('flash_other_box', found);
  expect(told).toMatchObject({ code: 'flash_other_box', retryable: false });
  expect(told.message).toBe(`Nothing was written: VC-1 is not the machine that it was: ${found}.`);
  expect(told.nextAction).toMatch(/connect to the box that is meant/);
});

it.each([
  ['target_serial', 'flash_other_disk', /^.*SSD \(S1\).*the words/],
  ['target_size', 'flash_target_size', /SSD \(S1\): the words/],
  ['verify_failed', 'flash_verify_failed', /the words/],
  ['image_corrupt', 'image_corrupt', /\/images\/a\.qcow2.*the words/],
  ['spec_invalid', 'job_failed', /the words/],
  [null, 'job_failed', /the words/],
] as const)('a job that failed with %s is told as %s, with its words', (code, as, words) => {
  const told = endOf(code, 'the words');
  expect(told.code).toBe(as);
  expect(told.message).toMatch(words);
});

it('a job that was ended or is gone is told as that, whatever code stands in its log', () => {
  expect(endOf('flash_other_box', 'x', 'cancelled').code).toBe('job_cancelled');
  expect(endOf('target_serial', 'x', 'lost').code).toBe('job_lost');
});
