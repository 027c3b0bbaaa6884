/**
 * Layers 2 to 5 as an engineer gives them to a box: by the command line, out of the bundle, with the reboots between them; refused
 * before, looked at, broken and mended after. Stand-in packages and wheels; DKMS, initramfs-tools, apt, Docker, containerd, Python,
 * venv, pip and boots are the real ones. What it cannot show is a GPU, a loaded module, Secure Boot and a framework that computes.
 * Rows of the table are broken together, as many in a round as are apart from each other, and of the rounds only those that every
 * check needs; with `MEND=all` all. Each alone: mend/run.ts.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TREE } from '../../main/services/layers.ts';
import { whyNoRig } from '../rig/box.ts';
import { installKernels } from '../rig/kernels.ts';
import { KERNELS } from '../rig/nvidia.ts';
import { NOTHING, Sink } from '../rig/sink.ts';
import { SOME_OF_EACH, withoutCable } from './airgap.ts';
import { BoxJobs } from './boxjobs.ts';
import { ALL, byHand } from './byhand.ts';
import { changedIn, kindIn, PASSED } from './cli.ts';
import { L2, UNBROKEN_L2 } from './mend/l2.ts';
import { L3 } from './mend/l3.ts';
import { L4, UNBROKEN_L4 } from './mend/l4.ts';
import { L5 } from './mend/l5.ts';
import { ALWAYS, Bench, layerChecks, mendRows, named, rounds } from './mend/mend.ts';
import { NAME, provisioned, type Provisioned } from './provisioned.ts';
import { suitesOn } from './suites.ts';

// Four layers with a boot between them, on a machine that runs another box beside it.
vi.setConfig({ testTimeout: 420_000 });

const why = whyNoRig();
const IMAGE = 'vault-cube/busybox:stand-in';
const DAEMONS = ['docker', 'containerd', 'nvidia-persistenced', 'ssh', 'fail2ban'];
const EXIT_CODES: Record<string, number> = {
  ...{ passed: 0, passed_with_deviations: 10 },
  ...{ failed: 20, incomplete: 21 },
};
const ABOVE = '2,3,4,5';
const UNBROKEN = [...UNBROKEN_L2, ...UNBROKEN_L4];
const ROWS = [...L4, ...L5, ...L2, ...L3];
const about = (rows: readonly { finds: object }[]) =>
  [...new Set(rows.flatMap(({ finds }) => Object.keys(finds)))].sort();
/** Each breaks a check that none before it does. */
const ROUNDS = rounds(ROWS).filter(
  (rows, i, all) => ALL || about(rows).some((id) => !about(all.slice(0, i).flat()).includes(id)),
);

it('every check of layers 2 to 5 that can be broken here is, in the rounds that are run', async () => {
  const ids = (await Promise.all([2, 3, 4, 5].map((layer) => layerChecks(layer)))).flat();
  const wanted = ids.filter((id) => !UNBROKEN.includes(id)).sort();
  expect(about(ROUNDS.flat())).toEqual(wanted);
  expect(new Set(ROWS.map(({ what }) => what)).size).toBe(ROWS.length);
});

describe.runIf(why === null)(`layers 2 to 5 by the app${why ? ` (not run: ${why})` : ''}`, () => {
  let kept: Provisioned;
  let jobs: BoxJobs;
  let sink: Sink;
  let bench: Bench;
  const run = (command: string, ...args: string[]) => kept.laptop.run(command, '--box', NAME, ...args);
  const provision = (layers: string) => run('provision', '--bundle', kept.box.bundle, '--layers', layers);
  const boot = async () => (await kept.box.run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout;
  const pids = async () =>
    (await kept.box.run(['systemctl', 'show', '-p', 'MainPID', '--value', ...DAEMONS])).stdout;
  const asAdmin = (command: string) =>
    kept.box.run(['runuser', '-u', 'vaultadmin', '--', 'sh', '-c', command]);

  /** Provisions with the cable out while it installs; resolves to what it changed and for what it waited. */
  async function installed(layers: string) {
    const command = ['provision', '--box', NAME, '--bundle', kept.box.bundle, '--layers', layers];
    const installing = kept.laptop.start(...command);
    const cable = await withoutCable(installing, kept.box);
    const { code, last, records, stderr } = await installing.ended;
    expect(PASSED, `${JSON.stringify(last)} ${stderr.slice(-2000)}`).toContain(code);
    expect(Object.values(cable)).toEqual(layers.split(',').map(() => 'down'));
    const reboots = kindIn(records, 'waiting').filter((e) => e['for'] === 'reboot');
    return { changed: changedIn(records), reboots: reboots.map((e) => e['state']) };
  }

  beforeAll(async () => {
    kept = await provisioned();
    bench = new Bench(kept);
    sink = await Sink.open(kept.box);
    jobs = await BoxJobs.on(kept.box);
    await installKernels(kept.box, KERNELS);
  });
  afterAll(async () => {
    await sink?.close();
    await kept?.end();
  });

  it('T8 is refused before they are there, with the layers that it comes after', async () => {
    const { last } = await run('validate', '--suites', 'integration');
    expect(last).toMatchObject({ code: 'suite_blocked', message: /after L2, L3, L4, L5/ });
  });

  it('a driver or a toolkit that is too old is refused before anything is installed', async () => {
    const packages = () => jobs.sh('dpkg -l | sha256sum');
    const before = await packages();
    const own = {
      base_system_image_archives_dir: `${TREE}/images`,
      driver_stack_repository_url: '',
      driver_stack_packages: ['nvidia-open-580=580.159.04-1'],
      gpu_runtime_packages: ['nvidia-container-toolkit=1.18.2-1'],
    };
    const driver = await jobs.layers(['l2'], { ...own, driver_stack_driver_floor: '590.1' });
    expect(driver).toMatchObject({ outcome: 'failed', changed: [] });
    expect(driver.detail).toContain('590.1 or newer is wanted');
    const toolkit = await jobs.layers(['l3'], { ...own, gpu_runtime_toolkit_floor: '1.99' });
    expect(toolkit).toMatchObject({ outcome: 'failed', changed: [] });
    expect(toolkit.detail).toContain('CVE-2025-23266');
    expect(await packages()).toBe(before);
  });

  it('a Python without lock files, and a wheel that is not the locked one, are refused before anything is made', async () => {
    const own = { ai_frameworks_wheels_dir: `${TREE}/frameworks` };
    const python = await jobs.layers(['l4'], own);
    expect(python).toMatchObject({ outcome: 'failed', changed: [] });
    expect(python.detail).toContain("the role's lock files are for Python 3.12");
    await jobs.sh(
      `mkdir /root/wheels && cp ${TREE}/frameworks/* /root/wheels && echo | tee -a /root/wheels/torch-*.whl`,
    );
    const wheel = await jobs.layers(['l4'], {
      ai_frameworks_locks_dir: own.ai_frameworks_wheels_dir,
      ai_frameworks_wheels_dir: '/root/wheels',
    });
    expect(wheel.outcome).toBe('failed');
    expect(wheel.detail).toMatch(/lacks torch \S+ with one of its hashes/);
    await jobs.sh(`rm -r /root/wheels ${TREE}/* && ! ls /opt/vault-cube/venvs/torch`);
  });

  it('layer 2 builds for every kernel, with a reboot for the new kernel before it and one for the driver after it', async () => {
    const sources = 'find /etc/apt/sources* /var/lib/apt/lists -type f | sort | xargs sha256sum';
    const before = [await boot(), await jobs.sh(sources)];
    const { changed, reboots } = await installed('2');
    expect(reboots).toEqual(['begin', 'end', 'begin', 'end']);
    expect(await boot()).not.toBe(before[0]);
    expect(changed).toEqual(
      expect.arrayContaining(["Install NVIDIA's packages", 'Rebuild these', 'Note that a reboot is due']),
    );
    expect(await jobs.sh(sources)).toBe(before[1]);
  });

  it('after the reboot nothing is due, and the persistence daemon runs', async () => {
    expect(await bench.check('2')).toEqual(ALWAYS);
  });

  it('layers 3 to 5 one after another, the cable out while each installs; a container goes on', async () => {
    const id = (await jobs.sh(`docker run -d --init --network none ${IMAGE} sleep 900`)).trim();
    const started = () => jobs.sh(`docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' ${id}`);
    const before = await started();
    const { changed, reboots } = await installed('3,4,5');
    expect(reboots).toEqual([]);
    expect(changed).toEqual(
      expect.arrayContaining([
        ...['Restart Docker', 'Restart containerd'],
        'Environments with exactly what their lock files name',
      ]),
    );
    expect(await started()).toBe(before);
    await jobs.sh(`docker rm -f ${id}`);
    // With a container running Docker put its rules in another order than it does below, without one.
    await jobs.sh('systemctl restart docker.service');
  });

  it('nothing of it tried an outside address or a name, which the sink would have counted', async () => {
    expect(await sink.counts(), (await sink.seen()).join('\n')).toEqual(NOTHING);
    expect(await sink.control('box')).toEqual(SOME_OF_EACH);
    expect(await sink.control('container')).toEqual(SOME_OF_EACH);
  });

  it('once more they change nothing, need no reboot, and start no daemon anew', async () => {
    const before = [await boot(), await pids()];
    const { code, records } = await provision(ABOVE);
    expect(PASSED).toContain(code);
    expect(changedIn(records)).toEqual([]);
    expect([await boot(), await pids()]).toEqual(before);
  });

  byHand('nor does drift see anything', async () => {
    const { code, last } = await run('drift');
    expect(PASSED, JSON.stringify(last)).toContain(code);
    expect(last).toMatchObject({ drift: [] });
  });

  it('a container sees the cards that it is given, one by its UUID', async () => {
    const uuid = /UUID: (GPU-[0-9a-f-]+)/.exec(await jobs.sh('nvidia-smi -L'))?.[1] ?? '';
    const cards = (flag: string) =>
      jobs.sh(`docker run --rm --network none ${flag} --entrypoint /usr/bin/nvidia-smi ${IMAGE} -L`);
    expect((await cards('--gpus all')).trim().split('\n')).toHaveLength(2);
    expect(await cards(`--gpus '"device=${uuid}"'`)).toMatch(new RegExp(`^GPU 0: .*${uuid}\\)\n$`));
  });

  it('the environments are the whole of the bundle, and an ordinary user cannot change them', async () => {
    const import_ =
      'import torch, numpy, pandas, sklearn, matplotlib; print(torch.STAND_IN, torch.cuda.device_count())';
    expect((await asAdmin(`/opt/vault-cube/venvs/torch/bin/python -c '${import_}'`)).stdout).toBe('True 2\n');
    const write = await asAdmin('/opt/vault-cube/venvs/torch/bin/pip uninstall -y numpy');
    expect(write.code).not.toBe(0);
  });

  it('validation commands end with their outcome, and load that nobody agreed to never passes', async () => {
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
    expect(stress.stdout).toContain('nobody agreed to the load');
  });

  it("the bundle's model lies where the demos look, once on the disk", async () => {
    const demo = await asAdmin('/opt/vault-cube/demos/vllm_demo.py --check');
    expect(JSON.parse(demo.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ models: ['stand-in'] });
    const names = await jobs.sh(`cd ${TREE}/models && find . -type f | sort`);
    expect(names.trim().split('\n')).toHaveLength(3);
    await jobs.sh(
      `cd ${TREE}/models && find . -type f | while read f; do [ "$f" -ef "/opt/vault-cube/models/$f" ] || exit 1; done`,
    );
  });

  it('a card that is missing is missed by every framework, shown by monitor.sh, and fails T1', async () => {
    await jobs.sh('echo one >/etc/vault-cube/stand-in-gpus');
    const ids = ['l4_torch_gpus', 'l4_tensorflow_gpus', 'l4_vllm_gpus'];
    expect(await bench.check('4')).toEqual(Object.fromEntries(ids.map((id) => [id, 'fail'])));
    const shown = JSON.parse(await jobs.sh('monitor.sh --json')) as { gpus: unknown[]; evidence: string };
    expect(shown).toMatchObject({ gpus: [{ index: 0 }], evidence: 'stand-in' });
    expect((await kept.box.run(['vault-cube-test-gpu'])).code).toBe(20);
    await jobs.sh('rm /etc/vault-cube/stand-in-gpus');
  });

  suitesOn(() => kept);

  it.each(named(ROUNDS))('broken by hand, named, mended: %s', async (_what, rows) => {
    const { wrong, tasks } = await mendRows(bench, rows);
    expect(wrong).toEqual([]);
    expect(tasks).not.toEqual([]);
  });
});
