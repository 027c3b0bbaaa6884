/** The folder that a bundle is built in, and what is given by hand: an older bundle stays until the end, nobody builds beside. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BundleManifest } from '../../../preload/contract/bundle.ts';
import { BuildFolder, filesBelow } from '../../../main/services/bundle/folder.ts';
import { imageGiven, missingGiven, modelGiven, takeGiven } from '../../../main/services/bundle/given.ts';
import { Hashes, inParallel, sha256Of } from '../../../main/services/bundle/hashes.ts';
import { describeBundle } from '../../../main/services/bundle/manifest.ts';
import { has } from '../../../main/services/programs.ts';
import { verifyBundle } from '../../../main/services/bundle/verify.ts';
import { writeImage } from '../../rig/image.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vcg-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const describing = (folder: BuildFolder, paths: string[]): Promise<BundleManifest> =>
  describeBundle({
    name: 'test',
    distribution: { id: 'ubuntu', version: '24.04', codename: 'noble', arch: 'amd64' },
    evidence: 'stand-in',
    sets: { l4: paths },
    locate: (path) => folder.find(path),
  });

describe.runIf(has('flock'))('the folder of a build', () => {
  it('an older bundle stays as it was until the end; then only what belongs to the new one is there', async () => {
    const out = join(dir, 'out');
    const first = await BuildFolder.open(out);
    writeFileSync(first.place('frameworks/a.txt'), 'old');
    writeFileSync(first.place('frameworks/deep/b.txt'), 'b');
    first.commit(await describing(first, ['frameworks/a.txt', 'frameworks/deep/b.txt']));
    await first.close();
    expect((await verifyBundle(out)).problems).toEqual([]);

    const second = await BuildFolder.open(out);
    writeFileSync(second.stage('frameworks/a.txt'), 'new');
    expect(readFileSync(join(out, 'frameworks/a.txt'), 'utf8')).toBe('old');
    expect(readFileSync(second.find('frameworks/a.txt'), 'utf8')).toBe('new');
    expect((await verifyBundle(out)).problems).toEqual([]);
    second.commit(await describing(second, ['frameworks/a.txt']));
    await second.close();
    expect(filesBelow(out)).toEqual(['frameworks/a.txt', 'manifest.json']);
    expect(readFileSync(join(out, 'frameworks/a.txt'), 'utf8')).toBe('new');
    expect(existsSync(join(out, 'frameworks/deep'))).toBe(false);
    expect((await verifyBundle(out)).problems).toEqual([]);
  });

  it('keeps to a folder of its own', async () => {
    writeFileSync(join(dir, 'letter.txt'), 'mine');
    await expect(BuildFolder.open(dir)).rejects.toMatchObject({ code: 'bundle_folder_taken' });
    writeFileSync(join(dir, 'file'), '');
    await expect(BuildFolder.open(join(dir, 'file/under'))).rejects.toMatchObject({
      code: 'file_unwritable',
    });
  });

  it(
    'a second build waits for the first one, and goes on when that has ended',
    { timeout: 30_000 },
    async () => {
      const out = join(dir, 'out');
      const first = await BuildFolder.open(out);
      const second = BuildFolder.open(out);
      await first.close();
      await (await second).close();
    },
  );
});

describe('what is given by hand', () => {
  it('an image by its name and its kind of processor', async () => {
    const path = join(dir, 'busybox.tar');
    await writeImage(path, Buffer.from('no program'), ['sh']);
    expect(await imageGiven(path, 'amd64')).toMatchObject({
      path: 'images/busybox.tar',
      tags: ['vault-cube/busybox:stand-in'],
    });
    await expect(imageGiven(path, 'arm64')).rejects.toThrow(/for linux on amd64, not for linux on arm64/);
  });

  it.each([
    ['nothing', null],
    ['text', 'no archive at all'],
    ['a torn one', 'torn'],
  ])('an image that is none: %s', async (_what, text) => {
    const path = join(dir, 'image.tar');
    if (text === 'torn') {
      await writeImage(path, Buffer.alloc(5000), ['sh']);
      writeFileSync(path, readFileSync(path).subarray(0, 3000));
    } else if (text !== null) writeFileSync(path, text);
    await expect(imageGiven(path, 'amd64')).rejects.toMatchObject({ code: 'bundle_input_bad' });
  });

  it.runIf(has('flock'))(
    'a model with all it has, links followed; the same bytes are not copied again',
    async () => {
      const model = join(dir, 'model');
      mkdirSync(join(model, 'deep'), { recursive: true });
      writeFileSync(join(dir, 'blob'), 'weights');
      symlinkSync(join(dir, 'blob'), join(model, 'deep/weights.bin'));
      writeFileSync(join(model, 'config.json'), '{}');
      const given = modelGiven(model);
      expect(given.map((g) => g.path)).toEqual(['models/model/config.json', 'models/model/deep/weights.bin']);
      const folder = await BuildFolder.open(join(dir, 'out'));
      await takeGiven(await missingGiven(given, folder, new Hashes()), folder, { onBytes: () => undefined });
      expect(readFileSync(folder.find('models/model/deep/weights.bin'), 'utf8')).toBe('weights');
      expect(await missingGiven(given, folder, new Hashes())).toEqual([]);
      writeFileSync(folder.find('models/model/config.json'), '[]');
      expect(await missingGiven(given, folder, new Hashes())).toMatchObject([
        { path: 'models/model/config.json' },
      ]);
      await expect(missingGiven([...given, ...given], folder, new Hashes())).rejects.toThrow(/would both be/);
      await folder.close();
    },
  );

  it('a model that is none', () => {
    mkdirSync(join(dir, 'empty'));
    symlinkSync(join(dir, 'gone'), join(dir, 'empty/link'));
    expect(() => modelGiven(join(dir, 'empty'))).toThrow(/a link to nothing/);
    rmSync(join(dir, 'empty/link'));
    expect(() => modelGiven(join(dir, 'empty'))).toThrow(/is empty/);
    expect(() => modelGiven(join(dir, 'nowhere'))).toThrow(/no such folder/);
  });
});

describe('hashes', () => {
  it('one file once, and anew when it was changed', async () => {
    const path = join(dir, 'a');
    const hashes = new Hashes();
    writeFileSync(path, 'one');
    const one = await hashes.of(path);
    expect(one).toBe(await sha256Of(path));
    writeFileSync(path, 'other bytes');
    expect(await hashes.of(path)).not.toBe(one);
  });

  it('several at a time, in their order; the first error ends it', async () => {
    let running = 0;
    let most = 0;
    const work = async (n: number) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (n === 13) throw new Error('unlucky');
      return n * 2;
    };
    expect(await inParallel([1, 2, 3, 4, 5], 2, work)).toEqual([2, 4, 6, 8, 10]);
    expect(most).toBe(2);
    await expect(inParallel([13, 1, 2, 3], 2, work)).rejects.toThrow('unlucky');
    expect(running).toBe(0);
  });
});

describe('verify', () => {
  it.runIf(has('flock') && process.getuid?.() !== 0)('a file that cannot be read is named', async () => {
    const folder = await BuildFolder.open(join(dir, 'out'));
    writeFileSync(folder.place('frameworks/a.txt'), 'a');
    folder.commit(await describing(folder, ['frameworks/a.txt']));
    await folder.close();
    chmodSync(join(dir, 'out/frameworks/a.txt'), 0);
    expect((await verifyBundle(join(dir, 'out'))).problems).toMatchObject([{ kind: 'no_file' }]);
  });

  it('no bundle, and a manifest that is none', async () => {
    await expect(verifyBundle(dir)).rejects.toMatchObject({ code: 'bundle_missing' });
    writeFileSync(join(dir, 'manifest.json'), '{"v": 1');
    await expect(verifyBundle(dir)).rejects.toMatchObject({ code: 'bundle_corrupt' });
  });
});
