/** `packer/` by itself: with nothing of the app but the folders that its README names. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PYTHON, ROOT, must, run } from '../../rig/host.ts';
import { vmImages } from '../../rig/vmimages.ts';
import { byHand } from '../byhand.ts';
import { whyNoBuild } from './project.ts';

const why = whyNoBuild();
const PACKER = join(ROOT, 'packer');
const BUILD_MS = 1_800_000;

describe.runIf(why === null)(`packer/ alone${why ? ` (not run: ${why})` : ''}`, () => {
  let dir: string;
  let vars: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vc-packer-'));
    vars = join(dir, 'own.pkrvars.hcl');
    await must('sh', [join(PACKER, 'prepare.sh'), join(dir, 'prepared')]);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** The example with what a person corrects in it. */
  function own(base: string): void {
    const example = readFileSync(join(PACKER, 'examples/disk.pkrvars.hcl'), 'utf8');
    const sha256 = createHash('sha256').update(readFileSync(base)).digest('hex');
    const text = example
      .replaceAll('/srv/images/build', dir)
      .replace('/srv/images/debian-13.qcow2', base)
      .replace('"none"', `"sha256:${sha256}"`)
      .replace(
        /^build_password.*$/m,
        `build_password = "${readFileSync(join(dir, 'prepared/password'), 'utf8')}"`,
      )
      .replace('"6G"', '"2G"')
      .replace('1536', '1024');
    writeFileSync(vars, text, { mode: 0o600 });
  }
  // As in an environment that is active.
  const PATH = `${dirname(PYTHON)}${delimiter}${process.env['PATH'] ?? ''}`;
  const env = { ...process.env, PATH, CHECKPOINT_DISABLE: '1', PACKER_CACHE_DIR: undefined };
  const packer = (...args: string[]) =>
    run('packer', [...args, `-var-file=${vars}`, '.'], { cwd: PACKER, env });

  it('packer validate takes the templates with the example of variables, and not without', async () => {
    const base = join(dir, 'base.qcow2');
    await must('qemu-img', ['create', '-q', '-f', 'qcow2', base, '64M']);
    own(base);
    const good = await packer('validate', '-except=base.qemu.iso');
    expect(good.code, good.stdout + good.stderr).toBe(0);
    const none = await run('packer', ['validate', '.'], { cwd: PACKER, env });
    expect(none.code).not.toBe(0);
    expect(none.stdout + none.stderr).toContain('Unset variable "out_dir"');
  });

  it('what belongs to one build is readable by its user alone, and is kept when it is prepared again', async () => {
    const password = readFileSync(join(dir, 'prepared/password'), 'utf8');
    await must('sh', [join(PACKER, 'prepare.sh'), join(dir, 'prepared')]);
    expect(readFileSync(join(dir, 'prepared/password'), 'utf8')).toBe(password);
    expect(readFileSync(join(dir, 'prepared/http/user-data'), 'utf8')).toMatch(/hashed_passwd: "\$6\$/);
    expect(await must('find', [join(dir, 'prepared'), '-perm', '/077'])).toBe('');
  });

  // It takes minutes in software; CI validates the same templates with the same variables above.
  byHand(
    'packer build makes a disk of the disk-image source',
    async () => {
      own((await vmImages()).golden);
      const built = await packer('build', '-color=false', '-only=base.qemu.disk');
      expect(built.code, built.stdout.slice(-3000) + built.stderr).toBe(0);
      expect(built.stdout).toMatch(/base: Debian GNU\/Linux 13/);
      expect(existsSync(join(dir, 'base/disk.qcow2'))).toBe(true);
    },
    BUILD_MS,
  );
});
