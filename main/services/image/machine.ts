/** P2, P3 and P4: what happens in the virtual machine. */
import { existsSync, mkdirSync, rmSync, writeFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckResult } from '../../../preload/contract/events.ts';
import { NEVER_IN_A_MACHINE, healthChecks, testChecks } from '../../../preload/contract/image-checks.ts';
import { readManifest } from '../bundle.ts';
import { frameworksVars, TREE } from '../layers.ts';
import { whyNotAccel } from './accel.ts';
import { withBundleDisk } from './bundledisk.ts';
import type { StageContext } from './context.ts';
import { FileHashes } from './fingerprint.ts';
import { mitogenOf } from './mitogen.ts';
import { ansibleTool } from './order.ts';
import { changedTasks, recapOf, runPacker, takeChecks } from './packer.ts';
import { StageFailed, mustTool } from './tool.ts';

/** Where apt in the machine reads the bundle, as the role site_bundle has it. */
const APT_CONFIG = '/var/lib/vault-cube/apt/apt.conf';

/** As packer/variables.pkr.hcl has it; cloud-init has done its part in P2, and starts once more with what is flashed. */
const AFTER_FIRST_BOOT = 'mitigations=off norandmaps tsc=reliable cloud-init=disabled';

const result = (id: string, title: string, more: Partial<CheckResult>): CheckResult => ({
  ...{
    id,
    title,
    layer: null,
    suite: null,
    verdict: 'pass',
    value: null,
    unit: null,
    threshold: null,
    source: null,
  },
  ...{ reason: null, nextAction: null, evidence: null, seconds: 0, ...more },
});

export const diskOf = (dir: string): string => join(dir, 'disk', 'disk.qcow2');

async function accelerator(ctx: StageContext): Promise<string> {
  const { accel } = ctx.known;
  const why = await whyNotAccel(accel);
  if (why === null) return accel;
  const name = accel === 'kvm' ? 'KVM' : 'software emulation';
  throw new StageFailed({
    cause: `${name} does not run a guest here: ${why}.`,
    action:
      accel === 'kvm'
        ? 'Build with --accel tcg, or on a machine with KVM.'
        : 'Look at the installation of QEMU.',
  });
}

async function source(ctx: StageContext): Promise<string> {
  const { order, store } = ctx;
  const { path, sha256 } = order.source;
  const found = await new FileHashes(join(store.work, 'hashes.json')).of(path, ctx.signal);
  if (sha256 !== null && sha256 !== found)
    throw new StageFailed({
      cause: `the checksum of ${path} is ${found}, and ${sha256} was given.`,
      action: 'Fetch the source again, or correct --base-sha256.',
    });
  return found;
}

export async function p2(ctx: StageContext): Promise<void> {
  const { order } = ctx;
  await ctx.try(
    'p2_accelerator',
    'A guest runs',
    () => accelerator(ctx),
    (told) => told,
  );
  const sha256 = await ctx.try(
    'p2_source',
    'Checksum of the source',
    () => source(ctx),
    (told) => told,
  );
  ctx.facts['sourceSha256'] = sha256;
  const { kind, path } = order.source;
  const checksum = `sha256:${sha256}`;
  const vars: Record<string, string> =
    kind === 'disk'
      ? { base_image: path, base_checksum: checksum }
      : { iso_url: path, iso_checksum: checksum };
  const prepared = join(ctx.dir, 'prepared');
  await ctx.try('p2_build', 'The system answers', () =>
    runPacker(ctx, { only: `base.qemu.${kind}`, prepared, vars }),
  );
  const said = ctx.log.text();
  if (/evidence: stand-in/.test(said)) ctx.evidence = 'stand-in';
  ctx.facts['system'] = /base: (.+)$/m.exec(said)?.[1] ?? null;
  await ctx.try('p2_disk', 'The disk is sound', () =>
    mustTool(ctx.log, 'qemu-img', ['check', '-q', diskOf(ctx.dir)], { signal: ctx.signal }),
  );
}

/** Variables of the roles, beside their own defaults. Pure but for looking into the bundle. Errors: those of readManifest. */
export function roleVars(ctx: Pick<StageContext, 'order' | 'known'>): Record<string, unknown> {
  const { order, known } = ctx;
  const own = { access_hardening_prove_login: false, monitoring_profile: known.profile };
  if (order.bundle === null) return own;
  const { manifest } = readManifest(order.bundle);
  return {
    ...own,
    site_bundle_dir: order.bundle,
    site_bundle_sets: order.layers.map((layer) => `l${layer}`),
    vault_cube_environment: { APT_CONFIG },
    base_system_image_archives_dir: `${TREE}/images`,
    driver_stack_repository_url: '',
    ...(existsSync(join(order.bundle, 'frameworks')) ? frameworksVars(manifest) : {}),
  };
}

/** What both builds on a base are given; files of theirs lie in the stage's folder of logs. */
async function provisionVars(
  ctx: StageContext,
  before: string,
  checks: object,
): Promise<Record<string, string>> {
  const { order, logs } = ctx;
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const put = (name: string, value: object): string => {
    const path = join(logs, name);
    writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
    return path;
  };
  const tags = [...order.layers.map((layer) => `l${layer}`), 'hardening'];
  return {
    ...{ base_image: before, base_checksum: 'none', kernel_args: AFTER_FIRST_BOOT },
    play: order.bundle === null ? 'play-site.yml' : 'play-bundle.yml',
    tags: [...(order.bundle === null ? [] : ['bundle']), ...tags].join(','),
    vars_file: put('roles.json', roleVars(ctx)),
    checks_file: put('checks.json', checks),
    mitogen: await mitogenOf(ansibleTool('ansible-playbook')),
  };
}

/** The build's key and password, of the stage before: its own folder may not be changed. */
function takePrepared(ctx: StageContext, from: string): string {
  const to = join(ctx.dir, 'prepared');
  cpSync(join(from, 'prepared'), to, { recursive: true });
  return to;
}

export async function p3(ctx: StageContext): Promise<void> {
  const before = ctx.entry('P2');
  ctx.evidence = before.meta.evidence;
  const prepared = takePrepared(ctx, before.dir);
  const vars = await provisionVars(ctx, diskOf(before.dir), healthChecks(ctx.order.layers));
  await ctx.try('p3_layers', 'Layers by their roles', () =>
    withBundleDisk(ctx, (disk) =>
      runPacker(ctx, { only: 'provision.qemu.disk', prepared, vars: { ...vars, ...disk } }),
    ),
  );
  ctx.facts['recap'] = recapOf(ctx.log.text());
  takeChecks(ctx);
}

export async function p4(ctx: StageContext): Promise<void> {
  const { order } = ctx;
  const before = ctx.entry('P3');
  ctx.evidence = before.meta.evidence;
  const prepared = takePrepared(ctx, before.dir);
  const vars = await provisionVars(ctx, diskOf(before.dir), testChecks(order.layers));
  const only = `${order.secondRun ? 'test' : 'look'}.qemu.disk`;
  await ctx.try('t8_reboot', 'T8: it starts anew and is as it was', () =>
    order.secondRun
      ? withBundleDisk(ctx, (disk) => runPacker(ctx, { only, prepared, vars: { ...vars, ...disk } }))
      : runPacker(ctx, { only, prepared, vars }),
  );
  // Packer came in by the build's key alone, after sshd was hardened; sudo took the password.
  ctx.add(result('t8_key_login', 'T8: key login after hardening', { value: 'vaultadmin' }));
  secondRun(ctx);
  takeChecks(ctx);
  for (const [id, title, reason] of NEVER_IN_A_MACHINE)
    ctx.add(result(id, title, { verdict: 'not_run', reason }));
  // What was tried in it is not to be in the image.
  rmSync(join(ctx.dir, 'disk'), { recursive: true, force: true });
  rmSync(prepared, { recursive: true, force: true });
}

/** T9 and the ninth of T8. The bundle's own play is left out: it only brings files. */
function secondRun(ctx: StageContext): void {
  const title = 'T8, T9: the roles find nothing to change';
  if (!ctx.order.secondRun) {
    ctx.add(
      result('t8_second_run', title, { verdict: 'not_run', reason: 'it was left out with --no-second-run' }),
    );
    return;
  }
  const log = ctx.log.text();
  const recap = recapOf(log);
  const changed = changedTasks(log);
  ctx.add(
    result('t8_second_run', title, {
      verdict: recap?.changed === 0 && recap.failed === 0 ? 'pass' : 'fail',
      ...{ value: recap?.changed ?? null, unit: 'changed', threshold: '0' },
      reason: changed.length ? `changed: ${changed.join(', ')}` : null,
    }),
  );
}
