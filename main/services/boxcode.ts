/** The code that runs on the box, as one tar with a content hash: the runner with its checks, the writer of a flash, the load programs, and the Ansible project. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { productRoot } from './paths.ts';

/** What goes into the tar, and what of it stays out: tests and caches have no place on a customer's machine. */
const PARTS = [
  { from: 'resources/box/vcbox', to: 'vcbox' },
  { from: 'resources/box/vcflash', to: 'vcflash' },
  { from: 'resources/box/vcload', to: 'vcload' },
  { from: 'ansible', to: 'ansible' },
];
const LEFT_OUT = /(^|\/)(tests|__pycache__|\.[^/]+|inventory)(\/|$)|\.pyc$/;

export interface BoxCode {
  tar: Buffer;
  sha256: string;
  stage0: string;
  follow: string;
  relay: string;
  disks: string;
  facts: string;
  admin: string;
}

/** Reads and packs it. Deterministic: sorted names, fixed owner and date, so the same code has the same hash. */
export async function packBoxCode(root = productRoot()): Promise<BoxCode> {
  // Read here: the window's first screen needs no archive.
  const { default: tar } = await import('tar-stream');
  const pack = tar.pack();
  for (const { from, to } of PARTS) {
    const files = readdirSync(join(root, from), { recursive: true, withFileTypes: true })
      .filter((f) => f.isFile())
      .map((f) =>
        join(f.parentPath, f.name)
          .slice(join(root, from).length + 1)
          .replaceAll('\\', '/'),
      )
      .filter((name) => !LEFT_OUT.test(name))
      .sort();
    for (const name of files) {
      pack.entry(
        { name: `${to}/${name}`, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) },
        readFileSync(join(root, from, name)),
      );
    }
  }
  pack.finalize();
  const bytes = await buffer(pack);
  const text = (name: string) => readFileSync(join(root, 'resources/box/vcbox', name), 'utf8');
  return {
    tar: bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    stage0: text('stage0.py'),
    follow: text('follow.py'),
    relay: text('relay.py'),
    disks: text('disks.py'),
    facts: text('facts.py'),
    admin: text('admin.py'),
  };
}
