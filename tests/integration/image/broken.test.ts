/** Builds of an image that cannot work: the stage is named, the cause, and what was built before stays as it was. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNotAccel } from '../../../main/services/image/accel.ts';
import { treeHash } from '../../../main/services/image/fingerprint.ts';
import { imageBuilds } from '../../../main/services/image/history.ts';
import { until } from '../../rig/host.ts';
import { Factory, whyNoBuild } from './project.ts';

const why = whyNoBuild();
const noKvm = why === null ? await whyNotAccel('kvm') : null;

const below = (dir: string, name: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(`/${name}`))
    .map((path) => join(dir, path));

const p2Logs = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => /^P2-\d+\.log$/.test(name))
    .map((name) => join(dir, name));

describe.runIf(why === null)(`an image from broken inputs${why ? ` (not run: ${why})` : ''}`, () => {
  let factory: Factory;
  let base: string;
  const site = () => readFileSync(join(factory.project, 'ansible/site.yml'), 'utf8');
  const cache = () => treeHash(join(factory.dir, 'work/cache'));
  const stages = () =>
    imageBuilds(factory.app.journal)[0]?.stages.map(
      ({ stage, state, attempt }) => `${stage} ${state} ${attempt}`,
    );

  beforeAll(() => {
    factory = new Factory();
    base = join(factory.dir, 'base.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', base, '64M']);
  });
  afterAll(() => factory?.remove());

  it('a template that is none, and a role that ansible-lint refuses, end in P1', async () => {
    const good = readFileSync(join(factory.project, 'packer/build.pkr.hcl'), 'utf8');
    factory.put('packer/build.pkr.hcl', good.replace('name    = "base"', 'nome    = "base"'));
    const template = await factory.failure(factory.order(base));
    expect(template.code).toBe('image_stage_failed');
    expect(template.message).toMatch(/^Stage P1 \(Pre-build validation\).*packer validate: .*nome/s);
    factory.put('packer/build.pkr.hcl', good);

    const play = site();
    factory.put('ansible/site.yml', play.replace('      changed_when: false\n', ''));
    const lint = await factory.failure(factory.order(base));
    expect(lint.message).toMatch(/^Stage P1 .*ansible-lint: .*no-changed-when/s);
    factory.put('ansible/site.yml', play.replace('hosts: all', 'hosts: ['));
    expect((await factory.failure(factory.order(base))).message).toMatch(/^Stage P1 .*--syntax-check: /s);
    factory.put('ansible/site.yml', play);
    // One build, of which this stage was tried three times.
    expect(stages()).toEqual(['P1 failed 3']);
  });

  it('a checksum that is another one ends in P2, and P1 is kept', async () => {
    const order = factory.order(base);
    const told = await factory.failure({ ...order, source: { ...order.source, sha256: 'ab'.repeat(32) } });
    expect(told.message).toMatch(
      /^Stage P2 \(Base image\).*the checksum of .*base\.qcow2 is [0-9a-f]{64}, and (ab){32}/,
    );
    expect(told.nextAction).toContain('What was built before is untouched');
    expect(stages()).toEqual(['P1 passed 4', 'P2 failed 1']);
  });

  it.runIf(noKvm !== null)(
    `KVM that does not work is named before a machine is started (${noKvm})`,
    async () => {
      const before = cache();
      const told = await factory.failure(factory.order(base, { accel: 'kvm' }));
      expect(told.message).toMatch(/^Stage P2 .*KVM does not run a guest here: /);
      expect(told.nextAction).toContain('--accel tcg');
      expect(cache()).toBe(before);
    },
  );

  it('a machine that is killed ends its stage at once, and nothing of it is kept', async () => {
    const before = cache();
    const failed = factory.failure(factory.order(base));
    const builds = join(factory.dir, 'work/builds');
    let pid = '';
    await until(
      'QEMU',
      () => {
        const [file] = below(builds, 'qemu.pid');
        pid = file === undefined ? '' : readFileSync(file, 'utf8').trim();
        // Until then Packer itself looks whether it has started.
        const waits = (log: string) => readFileSync(log, 'utf8').includes('Waiting for SSH');
        return pid !== '' && readdirSync(builds).some((id) => p2Logs(join(builds, id)).some(waits));
      },
      60_000,
    );
    process.kill(Number(pid), 'SIGKILL');
    const told = await failed;
    expect(told.message).toMatch(/^Stage P2 .*QEMU ended before the build did/);
    expect(cache()).toBe(before);
  });

  it('a full disk ends in P2, what was there before is the same, and a set is never written over', async () => {
    const small = join(factory.dir, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', small]);
    try {
      const filled = join(factory.dir, 'filled.raw');
      writeFileSync(filled, Buffer.alloc(32 * 1024 * 1024, 7));
      cpSync(join(factory.dir, 'work/cache'), join(small, 'cache'), { recursive: true });
      const before = treeHash(join(small, 'cache'));
      const told = await factory.failure(factory.order(filled, { work: small }));
      expect(told.message).toMatch(/^Stage P2 .*the disk of the work folder is full/);
      expect(told.nextAction).toContain('Make room');
      expect(treeHash(join(small, 'cache'))).toBe(before);
    } finally {
      execFileSync('umount', [small]);
    }
    mkdirSync(join(factory.dir, 'set'));
    writeFileSync(join(factory.dir, 'set/of-somebody'), 'x');
    expect((await factory.failure(factory.order(base))).code).toBe('image_set_exists');
    expect(readFileSync(join(factory.dir, 'set/of-somebody'), 'utf8')).toBe('x');
  });
});
