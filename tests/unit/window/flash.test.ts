/** The window's calls about a flash, answered by the real services: a practice box's disk, the real writing program, no disk of this laptop. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { handlers, type Shell } from '../../../main/handlers.ts';
import type { Handlers } from '../../../main/ipc.ts';
import { openApp, type App } from '../../../main/services/app.ts';
import { Desk, type Tell } from '../../../main/services/desk.ts';
import { practiceDiskFile, PRACTICE_SERIAL } from '../../../main/services/flash/practice.ts';
import { renewed } from '../../../main/services/flash/renew.ts';
import { startPractice } from '../../../main/services/practice.ts';
import type { BoxState, CallInput, CallName } from '../../../preload/contract/calls.ts';
import { calls } from '../../../preload/contract/calls.ts';
import { flashError } from '../../../preload/contract/flash.ts';
import { notices, type NoticeName } from '../../../preload/contract/notices.ts';
import { makeSession } from '../journal/log.ts';
import { ESP, LINUX, MIB, writeDisk, type Made } from '../flash/partitions.ts';

const PERSON = {
  confirmHostKey: async () => false,
  confirmReboot: async () => false,
  note: () => undefined,
  link: () => undefined,
};
const SMALL: Made = {
  size: 48 * MIB,
  partitions: [
    { type: ESP, first: 9 * MIB, length: 4 * MIB },
    { type: LINUX, first: 16 * MIB, length: 24 * MIB },
  ],
  data: [
    { at: 9 * MIB, length: 4 * MIB, seed: 1 },
    { at: 16 * MIB, length: 13 * MIB, seed: 2 },
  ],
};
const TYPED = PRACTICE_SERIAL.slice(-4);

let dir: string;
let image: string;
let app: App;
let desk: Desk;
let answers: Handlers;
let awake: boolean[];
let told: { name: NoticeName; notice: unknown }[];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vault-cube-flash-'));
  image = join(dir, 'small.raw');
  writeDisk(image, SMALL);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const open = (home: string) => {
  app = openApp(PERSON, { home });
  const tell: Tell = (name, notice) => told.push({ name, notice: notices[name].parse(notice) });
  desk = new Desk(app, tell, (on) => awake.push(on));
  const shell = { startPractice: async () => ({ session: '' }) } as unknown as Shell;
  answers = handlers(desk, {} as never, shell);
};
const close = () => {
  desk.close();
  app.close();
};

let home: string;
beforeEach(() => {
  told = [];
  awake = [];
  home = mkdtempSync(join(dir, 'home-'));
  open(home);
});
afterEach(close);

/** As main/ipc.ts calls it: parsed on the way in and out. */
async function call<K extends CallName>(name: K, input: CallInput<K>) {
  const given = calls[name].input.parse(input) as CallInput<K>;
  return calls[name].output.parse(await answers[name](given, undefined as never));
}

/** A practice box on this path, without its own image, which is larger than a test needs. */
function practice(): string {
  const { session } = startPractice(app, { fault: null });
  app.journal.saveSession({ ...session, path: 'flash' });
  return session.id;
}

const start = (session: string, more: { serial?: string; typed?: string; image?: string } = {}) =>
  call('flash.start', { session, image, serial: PRACTICE_SERIAL, typed: TYPED, firstBoot: null, ...more });
const state = async (session: string) => (await call('box.state', { session })) as BoxState;
const flashStep = (box: BoxState) => box.steps.find((s) => s.id === 'flash')?.state;
const ended = (session: string) =>
  expect.poll(async () => (await state(session)).active, { timeout: 15_000 }).toBeNull();

describe('a box whose disk is flashed here', () => {
  it('begins with its name, and has no address until it is connected to', async () => {
    const made = (await call('boxes.create', { path: 'flash', name: 'VC-0042', profile: 'vault-cube' })) as {
      session: string;
    };
    const box = await state(made.session);
    expect(box.session).toMatchObject({ path: 'flash', address: null, user: '', flash: null });
    expect(box.steps.map((s) => `${s.id} ${s.state}`).slice(0, 3)).toEqual([
      'flash ready',
      'connect blocked',
      'preflight blocked',
    ]);
    expect(await call('boxes.list', undefined)).toMatchObject([
      { name: 'VC-0042', address: 'no address yet', state: 'its disk is to be flashed' },
    ]);
    const login = { kind: 'password', password: 'pw' } as const;
    await expect(call('box.connect', { session: made.session, login })).rejects.toMatchObject({
      code: 'box_address_missing',
    });
    await expect(
      call('boxes.create', { path: 'flash', name: 'VC-0042', profile: 'vault-cube' }),
    ).rejects.toMatchObject({ code: 'box_name_taken' });
  });
});

describe('the image', () => {
  it('is told with its kind, its size, and what lies beside it', async () => {
    expect(await call('flash.image', { path: image })).toEqual({
      ...{ path: image, kind: 'raw', fileBytes: SMALL.size, virtualSize: SMALL.size },
      ...{ manifest: null, proof: null, proofFrom: null },
    });
    const sum = `${image}.sha256`;
    writeFileSync(sum, `${'0'.repeat(64)}  small.raw\n`);
    expect(await call('flash.image', { path: image })).toMatchObject({ proof: 'checksum', proofFrom: sum });
    rmSync(sum);
  });

  it('that is none is refused', async () => {
    await expect(call('flash.image', { path: join(dir, 'none.raw') })).rejects.toMatchObject({
      code: 'image_missing',
    });
    const text = join(dir, 'notes.txt');
    writeFileSync(text, 'no disk\n'.repeat(1000));
    await expect(call('flash.image', { path: text })).rejects.toMatchObject({ code: 'image_not_supported' });
  });
});

describe('a box that was in service, flashed anew', () => {
  it('is known by its board alone: host key, keys and code went with its old system', () => {
    const key = { algorithm: 'ssh-ed25519', fingerprint: `SHA256:${'A'.repeat(43)}`, confirmedAt: '' };
    const kept = { boardSerial: 'B-1', productUuid: 'P-1', gpuUuids: ['GPU-1'] };
    const old = { boxId: 'X', machineId: 'M', diskSerials: ['D'], hostname: 'h' };
    const session = makeSession({
      ...{ path: 'flash', user: 'vaultadmin', hostKey: key, boxCode: 'c', identity: { ...kept, ...old } },
      deviations: [{ id: 'uid', text: 'UID 1001', at: '' }],
    });
    expect(renewed(session)).toMatchObject({
      ...{ user: 'installer', hostKey: null, keys: null, boxCode: null, deviations: [] },
      identity: { ...kept, boxId: null, machineId: null, diskSerials: [], hostname: null },
      ...{ name: session.name, address: session.address, profile: session.profile },
    });
    const practised = { ...session, practice: true };
    expect(renewed(practised)).toBe(practised);
  });
});

describe('a practice box', () => {
  it('sees practice disks only, whatever is attached to this laptop', async () => {
    const session = practice();
    const list = (await call('flash.disks', { session, image })) as {
      disks: { serial: string; verdict: object }[];
    };
    expect(list.disks.map((d) => d.serial)).toEqual([
      PRACTICE_SERIAL,
      'PRACTICE-SYSTEM-0001',
      'PRACTICE-STICK-0002',
    ]);
    expect(list).toMatchObject({ root: 'plain' });
    // The third also where an image is small enough for it: there is one file to write to.
    expect(list.disks.map((d) => d.verdict)).toMatchObject([
      { offered: true },
      { offered: false },
      { offered: false, reasons: [{ why: 'mounted' }] },
    ]);
  });

  it.each([
    ['another end of the serial', { typed: '0000' }, 'disk_confirm_wrong'],
    ['the whole serial, pasted', { typed: PRACTICE_SERIAL }, 'disk_confirm_wrong'],
    ['a disk that is not there', { serial: 'S6Z1NF0W7F3A' }, 'disk_missing'],
    ['a disk that is mounted', { serial: 'PRACTICE-STICK-0002', typed: '0002' }, 'disk_not_offered'],
    ['the disk of the system', { serial: 'PRACTICE-SYSTEM-0001', typed: '0001' }, 'disk_not_offered'],
    ['no image', { image: '/nowhere/none.raw' }, 'image_missing'],
  ] as const)('%s begins nothing', async (_, more, code) => {
    const session = practice();
    await expect(start(session, more)).rejects.toMatchObject({ code });
    const box = await state(session);
    expect([box.jobs, box.active, box.following]).toEqual([[], null, false]);
  });

  it('is flashed: told on the way, marked as practice, its end in the journal', async () => {
    const session = practice();
    const begun = (await start(session)) as BoxState;
    expect(flashStep(begun)).toBe('running');
    expect(begun).toMatchObject({ following: true, session: { flash: { image, serial: PRACTICE_SERIAL } } });
    await ended(session);
    const box = await state(session);
    expect([flashStep(box), box.following]).toEqual(['done', false]);
    const [row] = box.jobs;
    expect(row).toMatchObject({ kind: 'flash', state: 'passed', evidence: 'practice', session });
    const view = app.journal.view(row?.job ?? '', 1);
    expect(view.checks.map((c) => `${c.id} ${c.verdict}`)).toEqual([
      'flash_read_back pass',
      'flash_disk_hash not_run',
      'flash_image_file not_run',
    ]);
    const written = readFileSync(practiceDiskFile(app.practice.folder, 'PRACTICE-1'));
    expect(written.equals(readFileSync(image))).toBe(true);
    expect(awake).toEqual([true, false]);
    const names = new Set(told.map((t) => t.name));
    expect([names.has('flash'), names.has('lines'), names.has('box')]).toEqual([true, true, true]);
    expect(await call('boxes.list', undefined)).toMatchObject([{ state: 'flashed; Connect comes next' }]);
  });

  it('is flashed once at a time; one that is stopped goes on as the next attempt', async () => {
    const session = practice();
    await expect(call('flash.cancel', { session })).rejects.toMatchObject({ code: 'nothing_to_attach' });
    const first = start(session);
    await expect(start(session)).rejects.toMatchObject({ code: 'flash_busy' });
    await first;
    await call('flash.cancel', { session });
    await ended(session);
    const box = await state(session);
    const row = box.jobs.at(-1);
    expect([row?.state, flashStep(box)]).toEqual(['cancelled', 'ready']);
    const error = row && flashError(row, app.journal.view(row.job, row.attempt));
    expect(error).toMatchObject({
      code: 'flash_cancelled',
      nextAction: 'Flash it again: it goes on where it stood.',
    });
    expect(await call('boxes.list', undefined)).toMatchObject([
      { state: expect.stringMatching(/^stopped in "Flash /) },
    ]);
    await start(session);
    await ended(session);
    expect((await state(session)).jobs.map((r) => [r.job === row?.job, r.attempt, r.state])).toEqual([
      [true, 1, 'cancelled'],
      [true, 2, 'passed'],
    ]);
  });

  it('whose window is closed meanwhile is known by the next one, which goes on', async () => {
    const session = practice();
    await start(session);
    close();
    open(home);
    const box = await state(session);
    // The process is the same here, so the journal cannot know that what ran in it ended.
    const row = box.jobs.at(-1);
    if (row && row.state === 'running') app.journal.markLost(row.job, row.attempt, 'a test');
    expect(flashStep(await state(session))).toBe('ready');
    await start(session);
    await ended(session);
    expect(flashStep(await state(session))).toBe('done');
  });
});
