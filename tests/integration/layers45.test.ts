/**
 * The roles and checks of layers 4 to 6 on a provisioned rig box with stand-in wheels: Python, venv, pip, apt and the commands are
 * the real ones. What it cannot show is a framework that computes, a GPU, and of layer 6 what is the kernel's own. Rows
 * of the table are done together; with `MEND=all` all of them, and layer 6. Each alone, by the app's own commands: mend/run.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoRig } from '../rig/box.ts';
import { ROOT } from '../rig/host.ts';
import { TREE } from '../../main/services/layers.ts';
import { BoxJobs } from './boxjobs.ts';
import { ALL, byHand } from './byhand.ts';
import { L4, UNBROKEN_L4 } from './mend/l4.ts';
import { L5 } from './mend/l5.ts';
import { ABSENT_L6, L6, UNBROKEN_L6 } from './mend/l6.ts';
import { Bench, differences, layerChecks, rounds } from './mend/mend.ts';
import { NAME, provisioned, type Provisioned } from './provisioned.ts';

const why = whyNoRig();
const PROFILE = JSON.parse(readFileSync(join(ROOT, 'resources/profiles/two-h100.json'), 'utf8')) as object;
const VARS = {
  ai_frameworks_locks_dir: `${TREE}/frameworks`,
  ai_frameworks_wheels_dir: `${TREE}/frameworks`,
  monitoring_profile: PROFILE,
};
const EXIT_CODES: Record<string, number> = {
  ...{ passed: 0, passed_with_deviations: 10 },
  ...{ failed: 20, incomplete: 21 },
};
const ROWS = [...L4, ...L5];
const ROUNDS = rounds(ROWS).slice(0, ALL ? undefined : 2);
/** Layer 6 and what follows it; the playbook has its own order. */
const OPTIONAL = ['hardening', 'forwarding', 'l6'];
/** AIDE reads what is not left out, all of it: the distribution's own files would take it a minute. */
const VARS_L6 = {
  extended_hardening_aide_exclude: [
    ...['/usr', '/opt', '/var/lib/docker', '/var/lib/containerd', '/var/lib/vault-cube', '/var/log'],
  ],
};
const ROUNDS_L6 = ALL ? rounds(L6) : [];
const about = (rows: readonly { finds: object }[]) => rows.flatMap(({ finds }) => Object.keys(finds));

it('every check of layers 4 and 5 that can be broken here is, in the rounds that are run', async () => {
  const ids = [...(await layerChecks(4)), ...(await layerChecks(5))];
  const wanted = ids.filter((id) => !UNBROKEN_L4.includes(id)).sort();
  expect([...new Set(about(ROUNDS.flat()))].sort()).toEqual(wanted);
  expect(new Set(ROWS.map(({ what }) => what)).size).toBe(ROWS.length);
});

it('every check of layer 6 that can be broken here is, when all rows are', async () => {
  const wanted = (await layerChecks(6)).filter((id) => !UNBROKEN_L6.includes(id)).sort();
  expect([...new Set(about(L6))].sort()).toEqual(wanted);
});

describe.runIf(why === null)(`layers 4 and 5${why ? ` (not run: ${why})` : ''}`, () => {
  let kept: Provisioned;
  let jobs: BoxJobs;
  const findings = () => jobs.findings(['l4', 'l5'], PROFILE);
  const asAdmin = (command: string) =>
    kept.box.run(['runuser', '-u', 'vaultadmin', '--', 'sh', '-c', command]);

  beforeAll(async () => {
    kept = await provisioned();
    jobs = await BoxJobs.on(kept.box);
  });

  afterAll(async () => {
    await kept?.end();
  });

  it('a Python without lock files, and a wheel that is not the locked one, are refused before anything is made', async () => {
    const { ai_frameworks_locks_dir: _locks, ...own } = VARS;
    const python = await jobs.layers(['l4'], own);
    expect(python).toMatchObject({ outcome: 'failed', changed: [] });
    expect(python.detail).toContain("the role's lock files are for Python 3.12");
    await jobs.sh(
      `mkdir /root/wheels && cp ${TREE}/frameworks/* /root/wheels && echo | tee -a /root/wheels/torch-*.whl`,
    );
    const wheel = await jobs.layers(['l4'], { ...VARS, ai_frameworks_wheels_dir: '/root/wheels' });
    expect(wheel.outcome).toBe('failed');
    expect(wheel.detail).toMatch(/lacks torch \S+ with one of its hashes/);
    await jobs.sh('rm -r /root/wheels && ! ls /opt/vault-cube/venvs/torch');
  });

  it('layer 4 makes three environments from the bundle alone', async () => {
    expect(await jobs.layers(['l4'], VARS)).toMatchObject({
      outcome: 'passed',
      changed: expect.arrayContaining(['Environments with exactly what their lock files name']),
      counts: { failed: 0 },
    });
    expect(await jobs.findings(['l4'], PROFILE)).toEqual({});
    const import_ =
      'import torch, numpy, pandas, sklearn, matplotlib; print(torch.STAND_IN, torch.cuda.device_count())';
    expect((await asAdmin(`/opt/vault-cube/venvs/torch/bin/python -c '${import_}'`)).stdout).toBe('True 2\n');
    const write = await asAdmin('/opt/vault-cube/venvs/torch/bin/pip uninstall -y numpy');
    expect(write.code).not.toBe(0);
  });

  it('layer 5 brings tools, commands and demos', async () => {
    expect(await jobs.layers(['l5'], VARS)).toMatchObject({ outcome: 'passed', counts: { failed: 0 } });
    expect(await findings()).toEqual({});
  });

  it('validation commands end with their outcome, and what is not built never passes', async () => {
    const gpu = await kept.box.run(['vault-cube-test-gpu', '--json']);
    const told = gpu.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(told.at(-1)).toMatchObject({ type: 'result', suite: 'gpu-detection', evidence: 'stand-in' });
    expect(told.length).toBeGreaterThan(5);
    expect(gpu.code).toBe(EXIT_CODES[told.at(-1)?.['outcome'] ?? '']);
    const stress = await asAdmin('vault-cube-test-stress');
    expect(stress.code).toBe(21);
    expect(stress.stdout).toContain('not built in this version');
  });

  it('a card that is missing is missed by every framework, shown by monitor.sh, and fails T1', async () => {
    await jobs.sh('echo one >/etc/vault-cube/stand-in-gpus');
    const ids = ['l4_torch_gpus', 'l4_tensorflow_gpus', 'l4_vllm_gpus'];
    expect(await findings()).toEqual(Object.fromEntries(ids.map((id) => [id, 'fail'])));
    const shown = JSON.parse(await jobs.sh('monitor.sh --json')) as { gpus: unknown[]; evidence: string };
    expect(shown).toMatchObject({ gpus: [{ index: 0 }], evidence: 'stand-in' });
    expect((await kept.box.run(['vault-cube-test-gpu'])).code).toBe(20);
    await jobs.sh('rm /etc/vault-cube/stand-in-gpus');
  });

  it.each(ROUNDS.map((rows) => [rows.map(({ what }) => what).join('; '), rows] as const))(
    'broken by hand, named, mended: %s',
    async (_what, rows) => {
      const bench = new Bench(kept);
      const before = await bench.snapshot();
      for (const row of rows) await bench.breakIt(row);
      expect(await findings()).toEqual(Object.assign({}, ...rows.map(({ finds }) => finds)));
      const compared = await jobs.drift(['l4', 'l5'], VARS);
      expect(compared).toMatchObject({ outcome: 'passed', counts: { failed: 0 } });
      expect(compared.changed).not.toEqual([]);
      expect(await jobs.layers(['l4', 'l5'], VARS)).toMatchObject({ outcome: 'passed' });
      expect(await findings()).toEqual({});
      const leaves = rows.flatMap((row) => row.leaves ?? []);
      expect(differences(before, await bench.snapshot(), leaves)).toEqual([]);
    },
  );

  // Its packages alone take a minute, for AIDE's two hundred settings: by hand, with the rows.
  byHand('layer 6 watches the box, and forwarding is closed last', async () => {
    expect(await jobs.layers(OPTIONAL, VARS_L6)).toMatchObject({
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
    expect(await jobs.layers(OPTIONAL, VARS_L6)).toMatchObject({
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

  it.each(ROUNDS_L6.map((rows) => [rows.map(({ what }) => what).join('; '), rows] as const))(
    'broken by hand, named, mended: %s',
    async (_what, rows) => {
      const bench = new Bench(kept);
      const before = await bench.snapshot();
      for (const row of rows) await bench.breakIt(row);
      expect(await jobs.findings(['l6'], PROFILE)).toEqual(
        Object.assign({}, ABSENT_L6, ...rows.map(({ finds }) => finds)),
      );
      expect(await jobs.layers(OPTIONAL, VARS_L6)).toMatchObject({ outcome: 'passed' });
      expect(await jobs.findings(['l6'], PROFILE)).toEqual(ABSENT_L6);
      const leaves = rows.flatMap((row) => row.leaves ?? []);
      expect(differences(before, await bench.snapshot(), leaves)).toEqual([]);
    },
  );
});
