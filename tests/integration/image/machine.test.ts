/**
 * A machine that fails while an image is built in it, for real: a role's task, QEMU killed in P3 and in P4. Each time the stage and the cause
 * are named, what was built before is as it was, and the same order goes on there, to a set whose signature minisign itself proves. The
 * role is one task, so that most of the time is the machine's starts.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { newSecretKey, publicKeyFile, signBytes } from '../../../main/services/archive/minisign.ts';
import { keyId } from '../../../main/services/archive/signature.ts';
import { treeHash } from '../../../main/services/image/fingerprint.ts';
import { imageBuilds } from '../../../main/services/image/history.ts';
import type { ImageOrder } from '../../../main/services/image/order.ts';
import { verifySet } from '../../../main/services/image/verify.ts';
import { has } from '../../../main/services/programs.ts';
import { must, until } from '../../rig/host.ts';
import { vmImages } from '../../rig/vmimages.ts';
import { byHand } from '../byhand.ts';
import { Factory, whyNoBuild } from './project.ts';

const why = whyNoBuild() ?? (has('minisign') ? null : 'no minisign: apt install minisign');
const BUILD_MS = 3_600_000;

const play = (task: string): string => `---
- name: Role
  hosts: all
  gather_facts: false
  tags: [hardening]
  tasks:
${task}`;
const GOOD = play(`    - name: Ask for the system
      ansible.builtin.command:
        argv: [uname, -r]
      changed_when: false
`);
const FAILS = play(`    - name: Refuse
      ansible.builtin.command:
        argv: ["false"]
      changed_when: false
`);
/** The layer is that one task, so there is nothing for the layer's own checks to find. */
const NO_CHECKS = `import json
print(json.dumps({"type": "evidence", "evidence": "stand-in"}))
`;
const WAITS = play(`    - name: Wait for somebody
      ansible.builtin.command:
        argv: [sleep, "3600"]
      changed_when: false
`);

// Each stage is a start of a machine in software: minutes. CI has the same stages, causes and sets without a machine in the tests beside this one.
describe.runIf(why === null)(`a machine that fails in a build${why ? ` (not run: ${why})` : ''}`, () => {
  const key = newSecretKey();
  let factory: Factory;
  let order: ImageOrder;

  beforeAll(async () => {
    factory = new Factory();
    factory.put('packer/scripts/checks.py', NO_CHECKS);
    order = {
      ...factory.order(''),
      ...{ memoryMiB: 512, secondRun: true, signerId: keyId(key.id) },
      signer: (bytes, trusted) => signBytes(bytes, key, trusted),
    };
  }, BUILD_MS);
  afterAll(() => factory?.remove());

  const at = (...path: string[]) => join(factory.dir, 'work', ...path);
  const kept = (stage: string): string | undefined =>
    readdirSync(at('cache'))
      .filter((name) => name.startsWith(`${stage}-`) && !name.endsWith('.new'))
      .map((name) => `${name} ${treeHash(at('cache', name))}`)
      .join();
  const stages = () =>
    imageBuilds(factory.app.journal)[0]
      ?.stages.map(({ stage, state }) => `${stage} ${state}`)
      .sort();

  /** Kills QEMU as soon as the newest log of the stage says `words`. */
  async function killWhen(stage: string, attempt: number, words: string): Promise<void> {
    const [build = ''] = readdirSync(at('builds'));
    const read = (path: string): string => {
      try {
        return readFileSync(at('builds', build, path), 'utf8');
      } catch {
        // Not there yet.
        return '';
      }
    };
    const run = `${stage}-${attempt}`;
    await until(words, () => read(`${run}.log`).includes(words), BUILD_MS);
    process.kill(Number(read(join(run, 'qemu.pid')).trim()), 'SIGKILL');
  }

  byHand(
    'a role that fails, QEMU killed in P3 and in P4, and then a set',
    async () => {
      order = { ...order, source: { ...order.source, path: (await vmImages()).golden } };
      factory.put('ansible/site.yml', FAILS);
      const role = await factory.failure(order);
      expect(role.message).toMatch(/^Stage P3 \(Provisioning\).*the task "Refuse" failed/);
      expect(role.nextAction).toContain('What was built before is untouched');
      expect([stages(), kept('P3')]).toEqual([['P1 passed', 'P2 passed', 'P3 failed'], '']);
      const p2 = kept('P2');

      factory.put('ansible/site.yml', WAITS);
      const inRole = factory.failure(order);
      await killWhen('P3', 2, 'TASK [Wait for somebody]');
      expect((await inRole).message).toMatch(/^Stage P3 .*QEMU ended before the build did/);
      expect([kept('P2'), kept('P3')]).toEqual([p2, '']);

      factory.put('ansible/site.yml', GOOD);
      const inStart = factory.failure(order);
      await killWhen('P4', 1, 'Waiting for SSH');
      expect((await inStart).message).toMatch(/^Stage P4 \(Testing.*QEMU ended before the build did/);
      const p3 = kept('P3');
      expect([kept('P2'), p3 === '', kept('P4')]).toEqual([p2, false, '']);

      const built = await factory.build(order);
      expect(built.stages.map(({ id, cached }) => `${id} ${cached ? 'cached' : 'built'}`)).toEqual([
        'P1 cached',
        'P2 cached',
        'P3 cached',
        'P4 built',
        'P5 built',
      ]);
      expect([kept('P2'), kept('P3')]).toEqual([p2, p3]);
      expect(built.stages[3]?.checks.find(({ id }) => id === 't8_second_run')?.verdict).toBe('pass');

      const set = order.out;
      writeFileSync(join(factory.dir, 'key.pub'), publicKeyFile(key));
      const { problems, signature } = await verifySet(set, { keys: [{ name: 'factory', key }] });
      expect([problems, signature.state]).toEqual([[], 'valid']);
      await must('minisign', [
        '-V',
        '-q',
        '-p',
        join(factory.dir, 'key.pub'),
        '-m',
        join(set, 'manifest.json'),
      ]);
      const again = await factory.build(order);
      expect([again.setCached, again.stages.every(({ cached }) => cached)]).toEqual([true, true]);
    },
    BUILD_MS,
  );
});
