/** Two lists of files side by side; see scripts/image-diff.mjs. */
import { readFileSync } from 'node:fs';
import { differing, unexplained } from '../../../main/services/image/tree.ts';

const read = (path: string | undefined): string[] =>
  readFileSync(path ?? '', 'utf8')
    .trimEnd()
    .split('\n');
const [a, b] = process.argv.slice(2).map(read);
const paths = differing(a ?? [], b ?? []);
const strange = unexplained(paths);
for (const path of paths) console.log(`${strange.includes(path) ? 'NO REASON' : 'may differ'}  ${path}`);
console.log(`${paths.length} paths differ, ${strange.length} without a reason`);
process.exitCode = strange.length ? 1 : 0;
