/** A system's files as a list that can be compared with another build's. */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Sorted lines `KIND MODE UID:GID HASH-OR-TARGET PATH`. Synchronous: the tree is read once, at the end of a build. */
export function treeOf(root: string): string[] {
  const lines: string[] = [];
  const walk = (at: string): void => {
    for (const name of readdirSync(join(root, at)).sort()) {
      const path = at === '' ? name : `${at}/${name}`;
      const full = join(root, path);
      const stat = lstatSync(full);
      const who = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}`;
      if (stat.isDirectory()) {
        lines.push(`d ${who} - ${path}`);
        walk(path);
      } else if (stat.isSymbolicLink()) lines.push(`l ${who} ${readlinkSync(full)} ${path}`);
      else if (stat.isFile())
        lines.push(`f ${who} ${createHash('sha256').update(readFileSync(full)).digest('hex')} ${path}`);
      else lines.push(`o ${who} - ${path}`);
    }
  };
  walk('');
  return lines;
}

const pathOf = (line: string): string => line.split(' ').slice(4).join(' ');

/** Paths that are in one alone, or are not the same in both. Pure. */
export function differing(a: readonly string[], b: readonly string[]): string[] {
  const other = new Set(b);
  const one = new Set(a);
  const found = [...a.filter((line) => !other.has(line)), ...b.filter((line) => !one.has(line))];
  return [...new Set(found.map(pathOf))].sort();
}

/**
 * Where two builds from the same bundle may differ, each with its reason (docs/adr/0017-image-build.md): what two builds of layers 1 and 5
 * differed in, and the day, which was the same.
 */
export const MAY_DIFFER: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^etc\/shadow$/, 'the day on which a password was set'],
  [/^var\/cache\/ldconfig\/aux-cache$/, 'inodes and times of libraries'],
  [/^var\/lib\/docker\/(engine-id|network\/files\/local-kv\.db)$/, "Docker's own identifiers"],
  [/^var\/lib\/fail2ban\/fail2ban\.sqlite3$/, 'times at which it looked at the journal'],
];

/** Those that no reason covers. Pure. */
export const unexplained = (paths: readonly string[]): string[] =>
  paths.filter((path) => !MAY_DIFFER.some(([pattern]) => pattern.test(path)));
