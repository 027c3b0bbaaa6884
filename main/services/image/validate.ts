/** P1: everything that can be judged without building anything. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { productRoot } from '../paths.ts';
import { has } from '../programs.ts';
import { verifyBundle } from '../bundle/verify.ts';
import { loadProfile } from '../profiles.ts';
import { autoinstallProblems } from './autoinstall.ts';
import type { StageContext } from './context.ts';
import { ansibleTool } from './order.ts';
import { prepare } from './packer.ts';
import { StageFailed, mustTool, runTool } from './tool.ts';

const TOOLS = [
  ...['packer', 'qemu-system-x86_64', 'qemu-img', 'sfdisk', 'losetup'],
  ...['e2fsck', 'mke2fs', 'fstrim', 'openssl', 'ssh-keygen'],
];
const FIRMWARE = '/usr/share/OVMF/OVMF_CODE_4M.fd';

/** ansible-lint finds ansible-playbook on PATH, and the collections beside itself. */
function lintEnv(): NodeJS.ProcessEnv {
  const venv = join(productRoot(), '.cache/venv');
  if (has('ansible-lint') || !existsSync(venv)) return {};
  return {
    PATH: `${join(venv, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    ANSIBLE_COLLECTIONS_PATH: join(venv, 'lib'),
  };
}

/** Errors: StageFailed. */
function requireTools(): string {
  if (process.getuid?.() !== 0)
    throw new StageFailed({
      cause: 'an image is cleaned and looked at with its file system mounted, which only root may do.',
      action: 'Run the command with sudo.',
    });
  const missing = [...TOOLS, ansibleTool('ansible-playbook'), ansibleTool('ansible-lint')].filter(
    (t) => !has(t),
  );
  if (missing.length)
    throw new StageFailed({
      cause: `there is no ${missing.join(', ')} on this machine.`,
      action:
        'Install packer, qemu-system-x86, qemu-utils, ovmf, fdisk, openssl, ansible-core and ansible-lint.',
    });
  if (!existsSync(FIRMWARE))
    throw new StageFailed({ cause: `there is no firmware ${FIRMWARE}.`, action: 'Install ovmf.' });
  return 'all there';
}

const MOST_CHARS = 300;
/** Lines behind Packer's "Error" that belong to it. */
const WITH_ERROR = 7;

/** What is wrong, as Packer and Ansible's programs tell it. Null where they say nothing. Pure. */
function saidWrong(lines: readonly string[]): string | null {
  // Packer warns before it says what is wrong, and names it in a list behind "Error", or in sentences.
  const listed = lines.find((line) => line.startsWith('* '));
  const at = lines.findIndex((line) => line.startsWith('Error: '));
  const told =
    listed?.slice(2) ??
    (at >= 0
      ? lines
          .slice(at, at + WITH_ERROR)
          .filter((line) => line.trim() !== '')
          .join(' ')
      : null) ??
    [/^\S+\.ya?ml:\d/, /error/i, /\S/]
      .map((pattern) => lines.find((line) => pattern.test(line)))
      .find(Boolean);
  return told?.trim().replaceAll(/\s+/g, ' ').slice(0, MOST_CHARS) ?? null;
}

/** One tool whose end with another number than 0 is the cause. */
async function judged(
  ctx: StageContext,
  what: string,
  file: string,
  args: readonly string[],
  cwd: string,
): Promise<void> {
  const { log, signal, order } = ctx;
  const before = log.text().length;
  const env = { ...lintEnv(), VAULT_CUBE_ANSIBLE: join(order.project, 'ansible'), CHECKPOINT_DISABLE: '1' };
  const code = await runTool(log, file, args, { cwd, env, signal });
  if (code === 0) return;
  const cause = saidWrong(log.text().slice(before).split('\n').slice(1)) ?? `it ended with ${code}`;
  throw new StageFailed({
    cause: `${what}: ${cause}`,
    action: 'Mend what is named; nothing was built.',
  });
}

async function bundle(ctx: StageContext): Promise<string> {
  const { order } = ctx;
  if (order.bundle === null) return 'none: packages come from the sources of the machine';
  const { manifest, problems, notChecked } = await verifyBundle(order.bundle);
  const [first] = problems;
  if (first)
    throw new StageFailed({
      cause: `the site bundle is not whole: ${first.detail}${problems.length > 1 ? ` And ${problems.length - 1} more.` : ''}`,
      action: 'Run "vault-cube bundle verify" and build or copy the bundle again.',
    });
  if (notChecked !== null) ctx.job.log(`The bundle's signature was not checked: ${notChecked}.`);
  return `${manifest.name}, ${manifest.files.length} files`;
}

/** Errors: StageFailed. */
function answers(packer: string): string {
  const file = join(packer, 'autoinstall/user-data');
  const problems = autoinstallProblems(readFileSync(file, 'utf8'));
  if (problems.length)
    throw new StageFailed({
      cause: `the answers for the installer are not what it takes: ${problems.join('; ')}.`,
      action: `Mend ${file}; nothing was built.`,
    });
  return 'as the schema of subiquity says';
}

export async function p1(ctx: StageContext): Promise<void> {
  const { order, known } = ctx;
  const packer = join(order.project, 'packer');
  const ansible = join(order.project, 'ansible');
  await ctx.try(
    'p1_tools',
    'Programs of the build',
    async () => requireTools(),
    (told) => told,
  );
  await ctx.try('p1_packer', 'packer validate', async () => {
    const prepared = join(ctx.dir, 'prepared');
    await prepare(ctx, prepared);
    const vars = {
      base_image: order.source.path,
      out_dir: join(ctx.dir, 'none'),
      prepared,
      build_password: 'not-a-password',
    };
    const given = Object.entries(vars).map(([name, value]) => `-var=${name}=${value}`);
    // The installer's checksum lies on the network, and validate would fetch it.
    const except = order.source.kind === 'disk' ? ['-except=base.qemu.iso'] : [];
    await judged(ctx, 'packer validate', 'packer', ['validate', ...except, ...given, '.'], packer);
  });
  if (order.source.kind === 'iso')
    await ctx.try(
      'p1_autoinstall',
      'Answers for the installer',
      async () => answers(packer),
      (told) => told,
    );
  const playbook = ansibleTool('ansible-playbook');
  await ctx.try('p1_syntax', 'ansible-playbook --syntax-check', () =>
    judged(
      ...([ctx, 'ansible-playbook --syntax-check', playbook] as const),
      ['--syntax-check', '-i', 'localhost,', join(packer, 'play-site.yml'), join(packer, 'play-bundle.yml')],
      ansible,
    ),
  );
  await ctx.try('p1_lint', 'ansible-lint', () =>
    judged(
      ...([ctx, 'ansible-lint', ansibleTool('ansible-lint')] as const),
      [
        '--offline',
        '-q',
        '--nocolor',
        '-f',
        'pep8',
        '--profile',
        'production',
        '--project-dir',
        ansible,
        ansible,
      ],
      order.project,
    ),
  );
  await ctx.try(
    'p1_profile',
    'Profile',
    async () => loadProfile(order.profile),
    ({ profile }) => `${profile.id}, ${known.profileSha256.slice(0, 12)}`,
  );
  await ctx.try(
    'p1_bundle',
    'Site bundle',
    () => bundle(ctx),
    (told) => told,
  );
  await mustTool(ctx.log, 'packer', ['version'], { signal: ctx.signal });
  // Its key and password were for looking alone.
  rmSync(join(ctx.dir, 'prepared'), { recursive: true, force: true });
}
