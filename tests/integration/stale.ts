/** Disks that a flash finds full of old bytes, and the tools that make them. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';

/** What is on a disk before: seen where it was not overwritten. */
export const STALE = 0xa5;
const BLOCK = 8 * 1024 * 1024;

/** What a program prints, trimmed. Throws where it does not end with 0. */
export const tool = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' }).trim();

/** Fills `size` bytes, whole blocks of 8 MiB: of a new file with the flags `w`, of a device with `r+`. */
export function fillStale(path: string, size: number, flags: 'w' | 'r+'): void {
  const fd = openSync(path, flags);
  for (let at = 0; at < size; at += BLOCK) writeSync(fd, Buffer.alloc(BLOCK, STALE));
  closeSync(fd);
}
