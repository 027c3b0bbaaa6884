/**
 * The role and checks of layer 6 on a provisioned rig box. What a container cannot show is what the kernel does by itself. Its
 * packages alone take a minute, for AIDE's two hundred settings: with `MEND=all`, and the rows of its table with it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoRig } from '../rig/box.ts';
import { ROOT } from '../rig/host.ts';
import { BoxJobs } from './boxjobs.ts';
import { ALL, byHand } from './byhand.ts';
import { PASSED, changedIn, kindIn } from './cli.ts';
import { ABSENT_L6, L6, UNBROKEN_L6 } from './mend/l6.ts';
import { Bench, differences, layerChecks, named, rounds } from './mend/mend.ts';
import { NAME, provisioned, type Provisioned } from './provisioned.ts';

const why = whyNoRig();
const PROFILE = JSON.parse(readFileSync(join(ROOT, 'resources/profiles/two-h100.json'), 'utf8')) as object;
/** Layer 6 and what follows it; the playbook has its own order. */
const OPTIONAL = ['hardening', 'forwarding', 'l6'];
/** AIDE reads what is not left out, all of it: the distribution's own files would take it a minute. */
const VARS = {
  extended_hardening_aide_exclude: [
    ...['/usr', '/opt', '/var/lib/docker', '/var/lib/containerd', '/var/lib/vault-cube', '/var/log'],
  ],
};
const ROUNDS = rounds(L6);
/** All layers below it, and AIDE's database of all of them, on a busy machine. */
const BUILD_MS = 1_800_000;
/** Exit code of a required check that failed. */
const FAILED = 20;

it('every check of layer 6 that can be broken here is, when all rows are', async () => {
  const wanted = (await layerChecks(6)).filter((id) => !UNBROKEN_L6.includes(id)).sort();
  expect([...new Set(L6.flatMap(({ finds }) => Object.keys(finds)))].sort()).toEqual(wanted);
});

if (ALL)
  describe.runIf(why === null)(`layer 6${why ? ` (not run: ${why})` : ''}`, () => {
    let kept: Provisioned;
    let jobs: BoxJobs;

    beforeAll(async () => {
      kept = await provisioned();
      jobs = await BoxJobs.on(kept.box);
    });

    afterAll(async () => {
      await kept?.end();
    });

    byHand('layer 6 watches the box, and forwarding is closed last', async () => {
      expect(await jobs.layers(OPTIONAL, VARS)).toMatchObject({
        outcome: 'passed',
        changed: expect.arrayContaining(['Make the database', 'Forward nothing']),
        counts: { failed: 0 },
      });
      expect(await jobs.findings(['l6'], PROFILE)).toEqual(ABSENT_L6);
      expect(await jobs.findings(['l1'], PROFILE)).toEqual({});
      const listed = await jobs.sh('zcat -f /var/lib/aide/aide.db');
      expect(listed).toContain('\n/etc/ssh/sshd_config ');
      expect(listed).not.toMatch(/^\/var\/(lib\/(docker|vault-cube)|log)\//m);
      // The comparison as the timer starts it, by AIDE's own user.
      await jobs.sh(
        'systemctl start dailyaidecheck.service && grep -q 01-vault-cube-forwarding /var/log/aide/aide.log',
      );
      const told = await kept.box.run(['vault-cube-openscap']);
      expect(told).toMatchObject({ code: 3, stdout: expect.stringContaining('not offered') });
    });

    byHand('once more it changes nothing', async () => {
      expect(await jobs.layers(OPTIONAL, VARS)).toMatchObject({
        outcome: 'passed',
        changed: [],
        counts: { changed: 0, failed: 0 },
      });
    });

    byHand('the app gets in and can bring no more packages, and says why', async () => {
      const args = ['--box', NAME, '--layers', '1', '--bundle', kept.box.bundle];
      const { code, last, records } = await kept.laptop.run('provision', ...args);
      expect(code).not.toBe(0);
      expect(JSON.stringify([last, records])).toContain('AllowTcpForwarding');
    });

    it.each(named(ROUNDS))('broken by hand, named, mended: %s', async (_what, rows) => {
      const bench = new Bench(kept);
      const before = await bench.snapshot();
      for (const row of rows) await bench.breakIt(row);
      expect(await jobs.findings(['l6'], PROFILE)).toEqual(
        Object.assign({}, ABSENT_L6, ...rows.map(({ finds }) => finds)),
      );
      expect(await jobs.layers(OPTIONAL, VARS)).toMatchObject({ outcome: 'passed' });
      expect(await jobs.findings(['l6'], PROFILE)).toEqual(ABSENT_L6);
      const leaves = rows.flatMap((row) => row.leaves ?? []);
      expect(differences(before, await bench.snapshot(), leaves)).toEqual([]);
    });
  });

if (ALL)
  describe.runIf(why === null)(`layer 6, by the app's own commands${why ? ` (not run: ${why})` : ''}`, () => {
    let kept: Provisioned;

    beforeAll(async () => {
      // Layer 6 comes after all others.
      kept = await provisioned(5);
    }, BUILD_MS);

    afterAll(async () => {
      await kept?.end();
    });

    const run = (...args: string[]) => kept.laptop.run(...args);

    byHand(
      'provisioned, confirmed by a new login, healthy',
      async () => {
        const { code, last, records } = await run(
          ...['provision', '--box', NAME, '--layers', '5,6', '--bundle', kept.box.bundle],
        );
        expect(PASSED, JSON.stringify([last, kindIn(records, 'log').slice(-5)])).toContain(code);
        expect(changedIn(records)).toEqual(expect.arrayContaining(['Make the database', 'Forward nothing']));
        const verdicts = kindIn(records, 'check').map((e) => e['check'] as { id: string; verdict: string });
        const found = verdicts.filter(({ id, verdict }) => id.startsWith('l6_') && verdict !== 'pass');
        expect(Object.fromEntries(found.map(({ id, verdict }) => [id, verdict]))).toEqual(ABSENT_L6);
      },
      BUILD_MS,
    );

    byHand(
      'nothing has drifted; what is broken then, drift and health check name',
      async () => {
        expect(PASSED).toContain((await run('drift', '--box', NAME)).code);
        const broken = await kept.box.sh('systemctl disable --now dailyaidecheck.timer');
        expect(broken.code, broken.stderr).toBe(0);
        for (const args of [['drift'], ['check', '--layers', '6']]) {
          const { code, records } = await run(...args, '--box', NAME);
          expect(code).toBe(FAILED);
          expect(JSON.stringify(kindIn(records, 'check'))).toMatch(
            /"id":"l6_aide_daily"[^}]*"verdict":"fail"/,
          );
        }
      },
      BUILD_MS,
    );

    byHand(
      'no further layer gets in by the closed door, and the way back is named',
      async () => {
        const args = ['--box', NAME, '--layers', '6', '--bundle', kept.box.bundle];
        const { code, last, records } = await run('provision', ...args);
        expect(PASSED).not.toContain(code);
        expect(JSON.stringify([last, records])).toContain('AllowTcpForwarding');
        expect((await run('verify')).code).toBe(0);
      },
      BUILD_MS,
    );
  });
