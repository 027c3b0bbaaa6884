/** The image of practice boxes: what lies beside it is true, and it is made once. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAtImage } from '../../../main/services/flash/look.ts';
import { practiceImage } from '../../../main/services/flash/practice.ts';
import { chunkHash, diskRoot, HOLE_HASH } from '../../../main/services/flash/source/disk-root.ts';
import { CHUNK_BYTES, isZero } from '../../../main/services/flash/source/types.ts';
import { ImageManifest } from '../../../preload/contract/image.ts';

describe('the practice image', () => {
  let folder: string;
  let path: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vault-cube-practice-image-'));
    path = practiceImage(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is an image like any other, and says that it is practice', async () => {
    expect(await lookAtImage(path)).toMatchObject({
      ...{ kind: 'raw', proof: 'disk_hash' },
      manifest: { name: 'Practice image', labels: ['PRACTICE: starts no machine'] },
    });
    const head = readFileSync(path).subarray(0, 4096);
    // No code that a BIOS would run, and words for whoever looks into it.
    expect(isZero(head.subarray(0, 446))).toBe(true);
    expect(head.toString('latin1')).toContain('PRACTICE: chunk 0 of an image that starts no machine.');
  });

  it('has the hashes that its manifest says', async () => {
    const bytes = readFileSync(path);
    const manifest = ImageManifest.parse(
      JSON.parse(readFileSync(join(dirname(path), 'manifest.json'), 'utf8')),
    );
    const chunks = Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, i) =>
      bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
    );
    const hashes = await Promise.all(
      chunks.map(async (chunk) => (isZero(chunk) ? HOLE_HASH : chunkHash(chunk))),
    );
    expect(manifest.diskRoot).toBe(diskRoot(bytes.length, hashes));
    expect(manifest.fileSha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(manifest.virtualSize).toBe(bytes.length);
  });

  it('is made once', () => {
    const { mtimeMs } = statSync(path);
    expect(practiceImage(folder)).toBe(path);
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
  });
});
