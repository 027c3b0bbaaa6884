/**
 * The roles and checks of layers 2 and 3 on a provisioned rig box with two stand-in kernels and NVIDIA's stand-in packages:
 * DKMS, initramfs-tools, apt, Docker and containerd are the real ones. What it cannot show is a GPU, a loaded module and Secure
 * Boot. That a second run changes nothing is seen in all-layers.test.ts. Rows of the table are broken together, as many in a round
 * as are apart from each other, and only the first round; with `MEND=all` every round. Each alone, by the app's own commands:
 * mend/run.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoRig } from '../rig/box.ts';
import { ROOT } from '../rig/host.ts';
import { KERNELS } from '../rig/nvidia.ts';
import { TREE } from '../../main/services/layers.ts';
import { BoxJobs } from './boxjobs.ts';
import { ALL } from './byhand.ts';
import { L2, UNBROKEN_L2 } from './mend/l2.ts';
import { L3 } from './mend/l3.ts';
import { Bench, differences, layerChecks, rounds } from './mend/mend.ts';
import { provisioned, type Provisioned } from './provisioned.ts';

const why = whyNoRig();
const PROFILE = JSON.parse(readFileSync(join(ROOT, 'resources/profiles/two-h100.json'), 'utf8')) as object;
const IMAGE = 'vault-cube/busybox:stand-in';
const VARS = {
  base_system_image_archives_dir: `${TREE}/images`,
  driver_stack_repository_url: '',
  driver_stack_driver_floor: '580.65.06',
  driver_stack_packages: [
    ...['nvidia-open-580=580.159.04-1', 'cuda-toolkit-13-0=13.0.2-1'],
    ...['libcudnn9-cuda-13=9.14.0.64-1', 'libcudnn9-dev-cuda-13=9.14.0.64-1'],
    ...['libnccl2=2.28.3-1+cuda13.0', 'libnccl-dev=2.28.3-1+cuda13.0'],
  ],
  gpu_runtime_packages: ['nvidia-container-toolkit=1.18.2-1'],
};
/** A container has no kernel of its own, so none loads a module. */
const ALWAYS = { l2_module_loaded: 'not_supported' };
const ROWS = [...L2, ...L3];
const ROUNDS = rounds(ROWS).slice(0, ALL ? undefined : 1);
const about = (rows: readonly { finds: object }[]) => rows.flatMap(({ finds }) => Object.keys(finds));

it('every check of layers 2 and 3 that can be broken here is broken by a row', async () => {
  const ids = [...(await layerChecks(2)), ...(await layerChecks(3))];
  const wanted = ids.filter((id) => !UNBROKEN_L2.includes(id)).sort();
  expect([...new Set(about(ROWS))].sort()).toEqual(wanted);
  expect(new Set(ROWS.map(({ what }) => what)).size).toBe(ROWS.length);
});

describe.runIf(why === null)(`layers 2 and 3${why ? ` (not run: ${why})` : ''}`, () => {
  let kept: Provisioned;
  let jobs: BoxJobs;
  const findings = () => jobs.findings(['l2', 'l3'], PROFILE);
  const drift = () => jobs.drift(['l2', 'l3'], VARS);

  beforeAll(async () => {
    kept = await provisioned();
    jobs = await BoxJobs.on(kept.box);
    await jobs.kernels(KERNELS);
  });

  afterAll(async () => {
    await kept?.end();
  });

  it('a driver or a toolkit that is too old is refused before anything is installed', async () => {
    const packages = () => jobs.sh('dpkg -l | sha256sum');
    const before = await packages();
    const driver = await jobs.layers(['l2'], { ...VARS, driver_stack_driver_floor: '590.1' });
    expect(driver).toMatchObject({ outcome: 'failed', changed: [] });
    expect(driver.detail).toContain('590.1 or newer is wanted');
    const toolkit = await jobs.layers(['l3'], { ...VARS, gpu_runtime_toolkit_floor: '1.99' });
    expect(toolkit).toMatchObject({ outcome: 'failed', changed: [] });
    expect(toolkit.detail).toContain('CVE-2025-23266');
    // Drift's comparison changes nothing either, and sees what is missing.
    const missing = await drift();
    expect(missing).toMatchObject({ outcome: 'passed', counts: { failed: 0 } });
    expect(missing.changed).toEqual(expect.arrayContaining(["Install NVIDIA's packages"]));
    expect(await packages()).toBe(before);
  });

  it('layer 2 installs from the bundle, builds for every kernel, and asks for a reboot', async () => {
    const sources = 'find /etc/apt/sources* /var/lib/apt/lists -type f | sort | xargs sha256sum';
    const before = await jobs.sh(sources);
    const done = await jobs.layers(['l2'], VARS);
    expect(done).toMatchObject({ outcome: 'passed', counts: { failed: 0 } });
    expect(done.changed).toEqual(
      expect.arrayContaining(["Install NVIDIA's packages", 'Rebuild these', 'Note that a reboot is due']),
    );
    expect(await jobs.sh(sources)).toBe(before);
    expect(await jobs.findings(['l2'], PROFILE)).toEqual({ ...ALWAYS, l2_reboot: 'fail' });
  });

  it('after the reboot nothing is due, and the persistence daemon runs', async () => {
    await kept.box.reboot();
    expect(await jobs.findings(['l2'], PROFILE)).toEqual(ALWAYS);
  });

  it('layer 3 restarts Docker, and a container goes on', async () => {
    const id = (await jobs.sh(`docker run -d --init --network none ${IMAGE} sleep 600`)).trim();
    const started = () => jobs.sh(`docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' ${id}`);
    const before = await started();
    const done = await jobs.layers(['l3'], VARS);
    expect(done).toMatchObject({ outcome: 'passed', counts: { failed: 0 } });
    expect(done.changed).toEqual(expect.arrayContaining(['Restart Docker', 'Restart containerd']));
    expect(await started()).toBe(before);
    await jobs.sh(`docker rm -f ${id}`);
    // With a container running Docker put its rules in another order than it does below, without one.
    await jobs.sh('systemctl restart docker.service');
    expect(await findings()).toEqual(ALWAYS);
  });

  it('a container sees the cards that it is given, one by its UUID', async () => {
    const uuid = /UUID: (GPU-[0-9a-f-]+)/.exec(await jobs.sh('nvidia-smi -L'))?.[1] ?? '';
    const cards = (flag: string) =>
      jobs.sh(`docker run --rm --network none ${flag} --entrypoint /usr/bin/nvidia-smi ${IMAGE} -L`);
    expect((await cards('--gpus all')).trim().split('\n')).toHaveLength(2);
    expect(await cards(`--gpus '"device=${uuid}"'`)).toMatch(new RegExp(`^GPU 0: .*${uuid}\\)\n$`));
  });

  it.each(ROUNDS.map((rows) => [rows.map(({ what }) => what).join('; '), rows] as const))(
    'broken by hand, named, mended: %s',
    async (_what, rows) => {
      const bench = new Bench(kept);
      const before = await bench.snapshot();
      for (const row of rows) await bench.breakIt(row);
      const found = await findings();
      const compared = await drift();
      // Mended whatever was found, so that the next row begins with a whole box.
      const mended = await jobs.layers(['l2', 'l3'], VARS);
      const { l2_reboot, ...left } = await findings();
      // What takes effect with a boot is asked for, and the rest is whole at once.
      if (l2_reboot) await jobs.sh('rm /run/vault-cube-reboot-due');
      const leaves = rows.flatMap((row) => row.leaves ?? []);
      const unlike = differences(before, await bench.snapshot(), leaves);
      expect(found).toEqual({ ...Object.assign({}, ...rows.map(({ finds }) => finds)), ...ALWAYS });
      expect(compared).toMatchObject({ outcome: 'passed', counts: { failed: 0 } });
      expect(compared.changed).not.toEqual([]);
      expect(mended).toMatchObject({ outcome: 'passed', detail: '' });
      expect({ left, unlike }).toEqual({ left: ALWAYS, unlike: [] });
    },
  );
});
