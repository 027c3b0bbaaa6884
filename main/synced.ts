/** Files that are on the disk when a function returns: after a power cut they are there. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** Writes all of `text`, as UTF-8. `flags` as for open: `w` anew, `wx` only where nothing is, `a` behind what is there. */
export function writeSynced(path: string, text: string, flags: 'w' | 'wx' | 'a' = 'w', mode = 0o666): void {
  const bytes = Buffer.from(text);
  const fd = openSync(path, flags, mode);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Puts a file in another's place: a reader or a power cut finds the old one or the new one. */
export function replaceSynced(path: string, text: string, mode: number): void {
  const work = `${path}.new`;
  writeSynced(work, text, 'w', mode);
  renameSync(work, path);
}
