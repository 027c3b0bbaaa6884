/** A flash of a disk of a stand-in box, as the app does it with a box in a live system. What cuts it off anywhere is tests/faults/flash-box.test.ts. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BoxOrder } from '../../main/services/flash/boxflash.ts';
import { expectHostKey } from '../../main/services/flash/seed/box.ts';
import type { HostKey } from '../../main/services/flash/seed/make.ts';
import { cryptPassword } from '../../main/services/flash/seed/password.ts';
import { whyNoRig } from '../rig/box.ts';
import { until } from '../rig/host.ts';
import { writeDisk } from '../unit/flash/partitions.ts';
import { FIXED } from '../unit/flash/seed/settings.ts';
import { HASH, aroundOf, asSeeded, firstBoot, seedOn, seededImage } from './firstboot.ts';
import { DISK, Desk, SEALED, SIZE, chunkOf, endOf, proofOf, startingChunks } from './flash.ts';
import { FlashRig } from './flashrig.ts';
import { filesWith } from './secrets.ts';
import { tool } from './stale.ts';

const why = whyNoRig();

describe.runIf(why === null)(`a flash of a box${why ? ` (not run: ${why})` : ''}`, () => {
  let rig: FlashRig;
  let image: string;

  beforeAll(async () => {
    rig = await FlashRig.open();
    image = join(rig.dir, 'image.raw');
    writeDisk(image, DISK);
  });
  afterAll(() => rig?.close());
  beforeEach(() => rig.plugIn(SIZE));
  afterEach(() => rig.unplug());

  const flash = (more: Partial<BoxOrder> = {}) => rig.flash(image, more);
  const mustHold = () => expect(readFileSync(rig.flushed()).equals(readFileSync(image))).toBe(true);

  it('is a job of the box that passes, and is not done again', async () => {
    const proof = proofOf(await flash());
    mustHold();
    const row = rig.newest();
    expect(row).toMatchObject({ state: 'passed', attempt: 1, evidence: 'stand-in' });
    const [check] = row ? rig.app.journal.view(row.job, row.attempt).checks : [];
    expect(check).toMatchObject({ id: 'flash_read_back', verdict: 'pass', value: proof.diskRoot });
    // Logged in by a password, the bulk went by OpenSSH all the same, with a key of this flash that is gone again.
    const { host, user } = rig.box;
    const logins = await rig.box.sh(`journalctl --no-pager -o cat | grep 'Accepted publickey for ${user}'`);
    expect(logins.stdout, host).toContain('ED25519');
    expect((await rig.box.sh(`cat /home/${user}/.ssh/authorized_keys`)).stdout).toBe('');
    // The run is over; the same order is a new flash of a disk that has all of it.
    expect(proofOf(await flash())).toMatchObject({ writtenBytes: 0, mendedChunks: 0 });
    mustHold();
  });

  it('of a live system that lost its power goes on with what the disk has', async () => {
    const going = flash();
    await until('some of it', () => rig.notes.some((text) => text.startsWith('Read back')), 60_000);
    await rig.box.powerCut();
    rmSync(join(rig.box.root, 'var/lib/vault-cube'), { recursive: true, force: true });
    expect(startingChunks(rig.path, SEALED)).toEqual([]);
    await rig.box.powerOn();
    await rig.node();
    expect(endOf(await going)).toEqual(['interrupted', 'job_lost']);
    const proof = proofOf(await flash());
    mustHold();
    expect(proof).toMatchObject({ mendedChunks: 0 });
    expect(rig.newest()).toMatchObject({ attempt: 2, state: 'passed' });
    expect(rig.notes.join('\n')).toMatch(/no record of the flash that was cut off/);
  });

  it('has first-boot settings, and the keys of both systems apart', async () => {
    const desk = new Desk();
    try {
      const seeded = seededImage(desk, 'seeded.raw');
      const diskRoot = proofOf(await desk.flash(seeded, desk.file('plain.out'))).diskRoot;
      const { name, box } = rig;
      const pins = (of: string) => rig.app.knownHosts.lookup(of).map(({ fingerprint }) => fingerprint);
      const { order, keys } = firstBoot((key) => expectHostKey(rig.app, rig.session(), FIXED, key));
      const result = await rig.flash(seeded, { firstBoot: order });
      // The app and the job agree on the image, and what is in its place is neither's.
      expect(proofOf(result)).toMatchObject({ diskRoot, seed: 'written' });
      expect(aroundOf(rig.flushed()).equals(aroundOf(seeded))).toBe(true);
      expect(seedOn(rig.path).user.hostname).toBe('vc-0042');
      const [key] = keys;
      expect(result).toMatchObject({ hostKey: key?.fingerprint });
      expect([pins(name), pins(`${name}+live`)]).toEqual([[key?.fingerprint], [box.fingerprint()]]);
      expect(rig.session()).toMatchObject({ live: true, next: { hostname: 'vc-0042' } });
      const row = rig.newest();
      const { checks } = rig.app.journal.view(row?.job ?? '', row?.attempt ?? 0);
      expect(checks.map(({ id, verdict }) => [id, verdict])).toEqual([
        ['flash_read_back', 'pass'],
        ['flash_seed', 'pass'],
      ]);
      // Neither the record here nor the job's folder has what became of its chunks, and no secret.
      const ledger = await box.sh(`cat /var/lib/vault-cube/jobs/${row?.job}/${row?.attempt}/chunks`);
      const hashes = [3, 4].map((n) => createHash('sha256').update(chunkOf(rig.path, n)).digest('hex'));
      expect(ledger.stdout).toContain('w 5 ');
      for (const hash of hashes) expect(ledger.stdout).not.toContain(hash);
      expect(await filesWith(rig.laptop.home, [HASH, ...hashes])).toEqual([]);
      // A plain flash after it destroys them, and what was to be met is not waited for.
      proofOf(await rig.flash(seeded));
      expect(rig.session()).toMatchObject({ live: true, next: null });
      expect([pins(name), pins(`${name}+live`)]).toEqual([[], [box.fingerprint()]]);
    } finally {
      desk.close();
    }
  });

  it('that was left waits to be fed, and ends when it is told to', async () => {
    const leave = new AbortController();
    const going = flash({ signal: leave.signal });
    // What starts it is gone by then, and nothing else is there yet.
    await until('the job', () => rig.notes.some((text) => text.startsWith('Write: ')), 60_000);
    leave.abort(new Error('gone home'));
    await expect(going).rejects.toThrow('gone home');
    const row = rig.newest();
    // It is fed over a connection of its own, which may be ahead of the one that follows it.
    expect(['starting', 'running']).toContain(row?.state);
    const cancelled = await rig.laptop.run('cancel', '--box', rig.name);
    expect(cancelled.last).toMatchObject({ type: 'result', state: 'cancelled' });
    expect(startingChunks(rig.path, SEALED)).toEqual([]);
  });

  it('is not offered what is none of its disks', async () => {
    const given = ['flash', '--image', image, '--box', rig.name, '--target', 'box:NO-SUCH-SERIAL'];
    const refused = await rig.laptop.run(...given);
    expect([refused.code, refused.last['code']]).toEqual([7, 'flash_box_disk_missing']);
    const listed = await rig.laptop.run('disks', '--box', rig.name);
    expect(listed.last).toMatchObject({ type: 'result', box: rig.name });
    expect(JSON.stringify(listed.last)).not.toContain(rig.path);
  });

  // The last one: the box is another afterwards.
  it('is met by the host key of its settings, and lets the engineer in', async () => {
    const desk = new Desk();
    try {
      const { box, laptop, name } = rig;
      const kim = desk.path('kim');
      tool('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', kim);
      const password = 'correct horse';
      const passwordHash = cryptPassword(password, 'saltsaltsaltsalt', 1000);
      const authorizedKeys = [readFileSync(`${kim}.pub`, 'utf8').trim()];
      const settings = { hostname: 'vc-0042', authorizedKeys, address: null };
      const expected = (key: HostKey) => expectHostKey(rig.app, rig.session(), settings, key);
      const { order, keys } = firstBoot(expected, { settings, passwordHash });
      proofOf(await rig.flash(seededImage(desk, 'seeded.raw'), { firstBoot: order }));
      laptop.secrets = { loginPassword: box.password, sudoPassword: password };
      const first = (...more: string[]) => laptop.run('first-boot', '--box', name, '--key', kim, ...more);

      // Nothing of it is there: whatever answers with another host key is waited out, and nothing is sent to it.
      const away = await first('--no-reboot', '--give-up', '2');
      expect([away.code, away.last['code']]).toEqual([3, 'first_boot_away']);
      expect(rig.session()).toMatchObject({ live: true, next: { hostname: 'vc-0042' }, keys: null });

      // A container starts from no disk: what cloud-init does with the seed is done here, and the real one in vm-flash.test.ts.
      await asSeeded(box, seedOn(rig.flushed()).user);
      const boot = await box.bootId();
      const met = await first();
      const said = JSON.stringify(met.last);
      expect([met.code, met.last['outcome'], met.last['hostKey']], said).toEqual([
        20,
        'failed',
        keys[0]?.fingerprint,
      ]);
      expect(met.last['faults']).toEqual([expect.stringMatching(/no partition of a disk/)]);
      // The machine was looked at anew. No manifest says which layers there are; the box's nvidia-smi is a trace of one, and no more than that.
      expect([met.last['firstBoot'], met.last['claims']]).toEqual(['incomplete', null]);
      expect(met.last['layers']).toEqual([{ layer: 2, title: 'L2 Driver stack', outcome: 'failed' }]);
      const last = rig.app.journal.jobs(rig.session().id).slice(-3);
      expect(last.map(({ kind, state }) => [kind, state])).toEqual([
        ['keys', 'passed'],
        ['preflight', 'passed'],
        ['checks', 'passed'],
      ]);
      expect(await box.bootId()).not.toBe(boot);
      const session = rig.session();
      expect(session).toMatchObject({ live: false, next: null, user: 'vaultadmin' });
      expect(session.hostKey?.fingerprint).toBe(keys[0]?.fingerprint);
      expect(session.keys?.keyLoginProvenAt).not.toBeNull();
      expect(session.keys?.sudoProvenAt).not.toBeNull();
      const again = await first();
      expect([again.code, again.last['code']]).toEqual([2, 'first_boot_nothing']);
    } finally {
      desk.close();
    }
  });
});
