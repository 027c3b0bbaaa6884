/** A set of an image, proven offline by the command: whole, signed, and each way of not being either. No machine is started. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSecretKey, publicKeyFile, type SecretKey } from '../../../main/services/archive/minisign.ts';
import { has } from '../../../main/services/programs.ts';
import { run } from '../../rig/host.ts';
import { CLI, Laptop } from '../cli.ts';
import { NAME, makeSet } from './set.ts';

const why = has('qemu-img') ? null : 'no qemu-img: apt install qemu-utils';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.runIf(why === null)(`a set of an image${why ? ` (not run: ${why})` : ''}`, () => {
  let dir: string;
  let good: string;
  let key: SecretKey;
  let laptop: Laptop;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vc-set-'));
    good = join(dir, 'good');
    laptop = new Laptop();
    key = newSecretKey();
    writeFileSync(join(dir, 'key.pub'), publicKeyFile(key));
    await makeSet(good, key);
  });
  afterAll(() => {
    laptop?.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const verify = async (set: string, ...more: string[]) => {
    const { code, stdout } = await run(process.execPath, [CLI, 'image', 'verify', set, '--json', ...more], {
      env: { ...process.env, VAULT_CUBE_HOME: laptop.home },
    });
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
    return {
      code,
      problems: last['problems'] as string[],
      signature: last['signature'],
      error: last['code'],
    };
  };
  const copy = (name: string): string => {
    const to = join(dir, name);
    mkdirSync(to);
    for (const file of [
      `${NAME}.qcow2`,
      `${NAME}.sha256`,
      'packer-build.log',
      'manifest.json',
      'manifest.json.minisig',
    ])
      copyFileSync(join(good, file), join(to, file));
    return to;
  };

  it('whole and signed by a key that is known', async () => {
    const found = await verify(good, '--key', join(dir, 'key.pub'));
    expect(found).toMatchObject({ code: 0, problems: [], signature: { state: 'valid', comment: NAME } });
  });

  it('whole, and nobody known signed it', async () => {
    expect(await verify(good)).toMatchObject({ code: 21, problems: [], signature: { state: 'unknown' } });
    const unsigned = copy('unsigned');
    rmSync(join(unsigned, 'manifest.json.minisig'));
    expect(await verify(unsigned)).toMatchObject({
      code: 21,
      problems: [],
      signature: { state: 'unsigned' },
    });
  });

  it('flashed from the set, it is what the manifest says', async () => {
    const target = join(dir, 'target.raw');
    const { code, last } = await laptop.run(
      'flash',
      '--image',
      join(good, `${NAME}.qcow2`),
      '--target',
      `file:${target}`,
    );
    expect([code, last['type']]).toEqual([0, 'result']);
    expect(sha256(readFileSync(target))).toBe(sha256(readFileSync(`${good}.raw`)));
  });

  it.each<[string, (set: string) => void, RegExp]>([
    [
      'a byte of the log',
      (set) => appendFileSync(join(set, 'packer-build.log'), 'x'),
      /packer-build\.log has \d+ bytes/,
    ],
    ['a file that is gone', (set) => rmSync(join(set, 'packer-build.log')), /packer-build\.log is missing/],
    [
      'a file too many',
      (set) => writeFileSync(join(set, 'more'), 'x'),
      /more is in the folder and not in the manifest/,
    ],
    [
      'another hash beside it',
      (set) => writeFileSync(join(set, `${NAME}.sha256`), `${'0'.repeat(64)}  ${NAME}.qcow2\n`),
      /\.sha256 has other bytes/,
    ],
    [
      'a manifest that somebody changed',
      (set) => {
        const path = join(set, 'manifest.json');
        writeFileSync(path, readFileSync(path, 'utf8').replace('layers 1, 5', 'layers 1, 6'));
      },
      /manifest\.json is not what the key of .* signed/,
    ],
    [
      'another disk in the image',
      (set) => {
        execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 9 40M 64k', join(set, `${NAME}.qcow2`)]);
      },
      /1 chunks of the disk differ, the first is number 10/,
    ],
    [
      'an image that is cut off',
      (set) => {
        const path = join(set, `${NAME}.qcow2`);
        writeFileSync(path, readFileSync(path).subarray(0, 70_000));
      },
      /qcow2 has 70000 bytes/,
    ],
  ])('%s is named', async (name, change, problem) => {
    const set = copy(name.replaceAll(' ', '-'));
    change(set);
    const { code, problems } = await verify(set, '--key', join(dir, 'key.pub'));
    expect(code).toBe(20);
    expect(problems.join('\n')).toMatch(problem);
  });

  it('a folder that is no set says so', async () => {
    expect(await verify(join(dir))).toMatchObject({ code: 6, error: 'image_set_unreadable' });
  });
});
