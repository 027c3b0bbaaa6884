/** The disk that is written: a loop device with direct I/O on a file of a folder that can be chosen. As root. */
import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { said, script } from './shell.ts';

/** What an old disk has everywhere: where a contender leaves it, it shows. */
const STALE = '\\245';

export class Target {
  readonly file: string;
  readonly bytes: number;
  readonly path: string;
  /** What the device lives by: it is gone with this process, however that ends. */
  readonly #holds: number;

  private constructor(file: string, bytes: number, path: string, holds: number) {
    this.file = file;
    this.bytes = bytes;
    this.path = path;
    this.#holds = holds;
  }

  /** `bytes`: a multiple of 512. */
  static async make(dir: string, name: string, bytes: number): Promise<Target> {
    mkdirSync(dir, { recursive: true });
    const file = join(dir, `${name}.disk`);
    writeFileSync(file, '');
    truncateSync(file, bytes);
    const path = (await said('losetup', ['--find', '--show', '--direct-io=on', file])).trim();
    const holds = openSync(path, 'r');
    // Of a device that is open this only says that the last one who closes it ends it.
    await said('losetup', ['--detach', path]);
    return new Target(file, bytes, path, holds);
  }

  /** All of it old bytes, on the medium. */
  async stale(): Promise<void> {
    const fill = `head -c "$2" /dev/zero | tr '\\0' '${STALE}' | dd of="$1" bs=4M iflag=fullblock oflag=direct conv=fsync status=none`;
    await script(fill, this.path, String(this.bytes));
  }

  /** Nothing on it, and nothing of it to be brought home: where each timed run begins. */
  async empty(): Promise<void> {
    await script('blkdiscard -f "$1"; sync "$1" "$2"; blockdev --flushbufs "$1"', this.path, this.file);
  }

  /** Of its first bytes as they are on the medium, in hex. */
  async sha256(bytes: number): Promise<string> {
    await script('sync "$1"; blockdev --flushbufs "$1"', this.path);
    return (await script('head -c "$2" "$1" | sha256sum', this.path, String(bytes))).slice(0, 64);
  }

  close(): void {
    closeSync(this.#holds);
    rmSync(this.file, { force: true });
  }
}
