/** One small container image in the format of `docker save`, made without a registry. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { pack, type Header, type Pack } from 'tar-stream';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const TAG = 'vault-cube/busybox:stand-in';

function add(tar: Pack, header: Partial<Header> & Pick<Header, 'name'>, content?: Buffer | string): void {
  // One date for all, so that the same busybox gives the same image.
  const entry = { mtime: new Date(0), uid: 0, gid: 0, ...header };
  if (content === undefined) tar.entry(entry);
  else tar.entry(entry, content);
}

async function layer(busybox: Buffer, applets: readonly string[]): Promise<Buffer> {
  const tar = pack();
  for (const name of ['bin/', 'etc/', 'tmp/', 'root/']) {
    add(tar, { name, type: 'directory', mode: name === 'tmp/' ? 0o1777 : 0o755 });
  }
  add(tar, { name: 'etc/passwd', mode: 0o644 }, 'root:x:0:0:root:/root:/bin/sh\n');
  add(tar, { name: 'bin/busybox', mode: 0o755 }, busybox);
  for (const applet of applets) {
    if (applet !== 'busybox') add(tar, { name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' });
  }
  tar.finalize();
  return buffer(tar);
}

/** Writes an image of a static busybox with its applets to `path`; `docker load` names it `vault-cube/busybox:stand-in`. */
export async function writeImage(path: string, busybox: Buffer, applets: readonly string[]): Promise<void> {
  const files = await layer(busybox, applets);
  const created = new Date(0).toISOString();
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created,
      config: { Env: ['PATH=/bin'], Cmd: ['sh'], Labels: { 'vault-cube.evidence': 'stand-in' } },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(files)}`] },
      history: [{ created, created_by: 'busybox-static of Debian' }],
    }),
  );
  const name = `${sha256(config)}.json`;
  const inside = `${sha256(files)}/layer.tar`;
  const manifest = JSON.stringify([{ Config: name, RepoTags: [TAG], Layers: [inside] }]);
  const tar = pack();
  add(tar, { name, mode: 0o644 }, config);
  add(tar, { name: `${sha256(files)}/`, type: 'directory', mode: 0o755 });
  add(tar, { name: inside, mode: 0o644 }, files);
  add(tar, { name: 'manifest.json', mode: 0o644 }, manifest);
  tar.finalize();
  await pipeline(tar, createWriteStream(path));
}
