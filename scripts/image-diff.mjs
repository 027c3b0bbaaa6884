// `npm run image:diff -- A B`: compares the files of two builds of the golden image, by the tree.txt that stage P5 of each left in the cache
// (docs/adr/0017-image-build.md). Names what differs; ends with 1 where no listed reason covers a path.
import { readFileSync } from 'node:fs';
import { ROOT, run } from './lib.mjs';

const [a, b] = process.argv.slice(2);
if (!a || !b) {
  console.error('usage: npm run image:diff -- A/tree.txt B/tree.txt');
  process.exit(2);
}
for (const path of [a, b]) readFileSync(path);
process.chdir(ROOT);
const { code, output } = await run('npx', ['--no-install', 'tsx', 'tests/bench/image/diff.ts', a, b]);
console.log(output.trim());
process.exitCode = code;
