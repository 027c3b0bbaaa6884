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
import {
  newSecretKey,
  publicKeyFile,
  signBytes,
  type SecretKey,
} from '../../../main/services/archive/minisign.ts';
import { chunkMap } from '../../../main/services/image/chunks.ts';
import { has } from '../../../main/services/programs.ts';
import { CHUNK_BYTES } from '../../../main/services/flash/source/types.ts';
import { ESP, LINUX, MIB, gpt } from '../../unit/flash/partitions.ts';
import { run } from '../../rig/host.ts';
import { CLI, Laptop } from '../cli.ts';

const why = has('qemu-img') ? null : 'no qemu-img: apt install qemu-utils';
const SIZE = 64 * MIB;
const NAME = 'vault-cube-demo-box-v1.0';
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
    mkdirSync(good);
    const disk = Buffer.alloc(SIZE);
    const partitions = [
      { type: ESP, first: MIB, length: 8 * MIB, name: 'ESP' },
      { type: LINUX, first: 16 * MIB, length: 32 * MIB, name: 'root' },
    ];
    for (const { at, bytes } of gpt(SIZE, 512, partitions)) bytes.copy(disk, at);
    disk.fill('root', 20 * MIB, 21 * MIB);
    const raw = join(dir, 'disk.raw');
    writeFileSync(raw, disk);
    const image = join(good, `${NAME}.qcow2`);
    execFileSync('qemu-img', ['convert', '-O', 'qcow2', '-c', '-o', 'compression_type=zstd', raw, image]);
    const map = await chunkMap(image);
    const file = readFileSync(image);
    writeFileSync(join(good, `${NAME}.sha256`), `${sha256(file)}  ${NAME}.qcow2\n`);
    writeFileSync(join(good, 'packer-build.log'), 'built\n');
    const artefacts = [`${NAME}.sha256`, 'packer-build.log'].map((name) => {
      const bytes = readFileSync(join(good, name));
      return { file: name, bytes: bytes.length, sha256: sha256(bytes) };
    });
    const manifest = {
      ...{ v: 1, name: 'vault-cube-demo-box', version: '1.0', file: `${NAME}.qcow2`, virtualSize: SIZE },
      ...{ fileSha256: sha256(file), diskRoot: map.diskRoot, hash: 'sha256', chunkBytes: CHUNK_BYTES },
      ...{ created: '2026-11-29T12:00:00.000Z', labels: ['layers 1, 5'], chunks: map.chunks },
      build: {
        ...{
          id: '3b241101-e2bb-4255-8caf-4136c566a962',
          app: 'test',
          gitRevision: null,
          evidence: 'stand-in',
        },
        ...{ profile: { id: 'vault-cube', sha256: sha256(Buffer.alloc(0)) }, bundle: null },
        ...{
          source: { kind: 'disk', file: 'base', sha256: null },
          accelerator: 'tcg',
          allocated: map.allocated,
        },
        ...{ fileBytes: file.length, stages: [], artefacts },
      },
      sbom: {
        ...{ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1 },
        components: [{ type: 'library', name: 'a', version: '1', purl: 'pkg:deb/debian/a@1' }],
      },
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    writeFileSync(join(good, 'manifest.json'), bytes);
    writeFileSync(join(good, 'manifest.json.minisig'), signBytes(bytes, key, NAME));
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
    expect(sha256(readFileSync(target))).toBe(sha256(readFileSync(join(dir, 'disk.raw'))));
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
