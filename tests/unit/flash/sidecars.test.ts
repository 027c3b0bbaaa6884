/** What lies beside an image, and the hash over a disk. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ImageManifest } from '../../../preload/contract/image.ts';
import { HOLE_HASH, chunkHash, diskRoot } from '../../../main/services/flash/source/disk-root.ts';
import { checkFile, parseSha256, readSidecars } from '../../../main/services/flash/source/sidecars.ts';
import { CHUNK_BYTES } from '../../../main/services/flash/source/types.ts';
import { folder } from './images.ts';

const base = folder();
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(base, 'x-'));
});

const NAME = 'vault-cube-demo-box-v1.0.qcow2';
const BYTES = Buffer.from('bytes of an image');
const SHA = createHash('sha256').update(BYTES).digest('hex');
const OTHER = 'a'.repeat(64);
const MANIFEST: ImageManifest = {
  v: 1,
  name: 'vault-cube-demo-box',
  version: '1.0',
  file: NAME,
  virtualSize: 1024 * 512,
  fileSha256: SHA,
  diskRoot: OTHER,
  hash: 'sha256',
  chunkBytes: CHUNK_BYTES,
  created: '2026-11-29T00:00:00Z',
  labels: ['GPU layers installed, not proven'],
};
const put = (name: string, content: string | Buffer | object): string => {
  const path = join(dir, name);
  writeFileSync(
    path,
    typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
  );
  return path;
};

describe('beside an image', () => {
  it('nothing: nothing is known, and nothing is compared', async () => {
    const image = put(NAME, BYTES);
    const found = readSidecars(image);
    expect(found).toEqual({ manifest: null, fileSha256: null, from: null });
    expect(await checkFile(image, found)).toBe(false);
  });

  it.each([[`${NAME}.sha256`], ['vault-cube-demo-box-v1.0.sha256']])('%s: compared', async (name) => {
    const image = put(NAME, BYTES);
    const path = put(name, `${SHA}  ${NAME}\n`);
    const found = readSidecars(image);
    expect(found).toEqual({ manifest: null, fileSha256: SHA, from: path });
    let read = 0;
    expect(await checkFile(image, found, { onBytes: (n) => (read += n) })).toBe(true);
    expect(read).toBe(BYTES.length);
    put(NAME, 'other bytes');
    await expect(checkFile(image, found)).rejects.toMatchObject({ code: 'image_changed' });
    rmSync(image);
    await expect(checkFile(image, found)).rejects.toMatchObject({ code: 'image_unreadable' });
  });

  it('manifest.json: read, and its hash taken', () => {
    const image = put(NAME, BYTES);
    const path = put('manifest.json', MANIFEST);
    expect(readSidecars(image)).toEqual({ manifest: MANIFEST, fileSha256: SHA, from: path });
    put(`${NAME}.sha256`, `${SHA} *${NAME}\n`);
    expect(readSidecars(image).manifest).toEqual(MANIFEST);
  });

  it('manifest and checksum that name different hashes: refused', () => {
    const image = put(NAME, BYTES);
    put('manifest.json', MANIFEST);
    put(`${NAME}.sha256`, `${OTHER}  ${NAME}\n`);
    expect(() => readSidecars(image)).toThrow(expect.objectContaining({ code: 'image_sidecars_differ' }));
  });

  it.each([
    ['of another image', { ...MANIFEST, file: 'another.qcow2' }],
    ['of another program', { manifest_version: 3 }],
  ])('a manifest.json %s says nothing', (_name, content) => {
    const image = put(NAME, BYTES);
    put('manifest.json', content);
    expect(readSidecars(image)).toEqual({ manifest: null, fileSha256: null, from: null });
  });

  it.each([
    ['cut off', JSON.stringify(MANIFEST).slice(0, 50)],
    ['of a format to come', { ...MANIFEST, v: 2 }],
    ['with a field more', { ...MANIFEST, more: 1 }],
    ['with half a sector', { ...MANIFEST, virtualSize: 1000 }],
    ['with other chunks', { ...MANIFEST, chunkBytes: 4096 }],
    ['with an unknown hash', { ...MANIFEST, hash: 'md5' }],
    ['without a disk root', { ...MANIFEST, diskRoot: '' }],
    ['far too large', ' '.repeat(2 * 1024 * 1024)],
  ])('a manifest.json %s: refused', (_name, content) => {
    const image = put(NAME, BYTES);
    put('manifest.json', content);
    expect(() => readSidecars(image)).toThrow(expect.objectContaining({ code: 'image_sidecar_invalid' }));
  });

  it('a checksum that is none: refused', () => {
    const image = put(NAME, BYTES);
    put(`${NAME}.sha256`, 'MD5 (x) = 1\n');
    expect(() => readSidecars(image)).toThrow(expect.objectContaining({ code: 'image_sidecar_invalid' }));
  });
});

describe('the format of sha256sum', () => {
  it.each([
    ['with its name', `${SHA}  ${NAME}\n`, SHA],
    ['binary', `${SHA} *${NAME}`, SHA],
    ['with a path and CRLF', `${SHA}  ./out/${NAME}\r\n`, SHA],
    ['in capitals', `${SHA.toUpperCase()}  ${NAME}\n`, SHA],
    ['alone', `${SHA}\n`, SHA],
    ['among others', `${OTHER}  a.iso\n${SHA}  ${NAME}\n`, SHA],
    ['of others only', `${OTHER}  a.iso\n${OTHER}  b.iso\n`, null],
  ])('%s', (_name, text, wanted) => expect(parseSha256(text, NAME)).toBe(wanted));

  it.each([
    ['nothing', '\n'],
    ['half a hash', `${SHA.slice(1)}  ${NAME}\n`],
    ['two hashes', `${SHA}  ${NAME}\n${OTHER}  ${NAME}\n`],
  ])('not %s', (_name, text) => expect(() => parseSha256(text, NAME)).toThrow());
});

describe('the root of a disk', () => {
  it('is written down: anybody can compute it again', async () => {
    const one = Buffer.alloc(CHUNK_BYTES, 1);
    const size = 2 * CHUNK_BYTES + 512;
    const last = Buffer.alloc(512, 2);
    const wanted = createHash('sha256')
      .update(`vault-cube disk 1 sha256 4194304 ${size}\n`)
      .update(createHash('sha256').update(one).digest())
      .update(Buffer.alloc(32))
      .update(createHash('sha256').update(last).digest())
      .digest('hex');
    expect(diskRoot(size, [await chunkHash(one), HOLE_HASH, await chunkHash(last)])).toBe(wanted);
    // Never to change: manifests hold it.
    expect(diskRoot(512, [HOLE_HASH])).toBe(
      'aaeec5decabe4864242dfe2cf0b20b2dfbcf4801816b990369a71eab5ae8a789',
    );
  });

  it('is another one for another size, order or chunk', async () => {
    const [a, b] = [await chunkHash(Buffer.from('a')), await chunkHash(Buffer.from('b'))];
    const size = 2 * CHUNK_BYTES;
    const all = [
      diskRoot(size, [a, b]),
      diskRoot(size, [b, a]),
      diskRoot(size - 512, [a, b]),
      diskRoot(size, [a, HOLE_HASH]),
      diskRoot(CHUNK_BYTES, [a]),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('is not made of too few, too many or other hashes', () => {
    expect(() => diskRoot(2 * CHUNK_BYTES, [HOLE_HASH])).toThrow('1 hashes for 2 chunks');
    expect(() => diskRoot(512, [HOLE_HASH, HOLE_HASH])).toThrow('2 hashes for 1 chunks');
    expect(() => diskRoot(512, [Buffer.alloc(20)])).toThrow('20 bytes');
  });
});
