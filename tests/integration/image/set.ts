/** A set of an image that nobody built: whole, and signed. Its disk is a partition table and little else. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signBytes, type SecretKey } from '../../../main/services/archive/minisign.ts';
import { CHUNK_BYTES } from '../../../main/services/flash/source/types.ts';
import { chunkMap } from '../../../main/services/image/chunks.ts';
import { ESP, LINUX, MIB, gpt } from '../../unit/flash/partitions.ts';

const SIZE = 64 * MIB;
export const NAME = 'vault-cube-demo-box-v1.0';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Makes the folder, and beside it its disk as a raw file. Needs qemu-img. */
export async function makeSet(dir: string, key: SecretKey): Promise<void> {
  mkdirSync(dir);
  const disk = Buffer.alloc(SIZE);
  const partitions = [
    { type: ESP, first: MIB, length: 8 * MIB, name: 'ESP' },
    { type: LINUX, first: 16 * MIB, length: 32 * MIB, name: 'root' },
  ];
  for (const { at, bytes } of gpt(SIZE, 512, partitions)) bytes.copy(disk, at);
  disk.fill('root', 20 * MIB, 21 * MIB);
  const raw = `${dir}.raw`;
  writeFileSync(raw, disk);
  const image = join(dir, `${NAME}.qcow2`);
  execFileSync('qemu-img', ['convert', '-O', 'qcow2', '-c', '-o', 'compression_type=zstd', raw, image]);
  const map = await chunkMap(image);
  const file = readFileSync(image);
  writeFileSync(join(dir, `${NAME}.sha256`), `${sha256(file)}  ${NAME}.qcow2\n`);
  writeFileSync(join(dir, 'packer-build.log'), 'built\n');
  const artefacts = [`${NAME}.sha256`, 'packer-build.log'].map((name) => {
    const bytes = readFileSync(join(dir, name));
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
  writeFileSync(join(dir, 'manifest.json'), bytes);
  writeFileSync(join(dir, 'manifest.json.minisig'), signBytes(bytes, key, NAME));
}
