// `npm run bench:image -- [DIR]`: builds a golden image as CI can, as root, and prints one line a bar (scripts/bars.mjs): the build, the same once
// more from the cache, and whether the result is whole, starts a machine and lets a key in. Below them what each stage took and for what, and
// the processor time of its machine, by which another machine's figure can be judged. Ends with 1 when a bar is missed.
import { bar, begin, end, measure } from './bars.mjs';
import { setup } from './setup.mjs';

const MINUTES = 12;
const CACHED_SECONDS = 10;
/** Passed, with deviations, incomplete: the second run of the roles is left out. */
const BUILT = [0, 10, 21];

/** A line a stage, and the slowest tasks of its roles. */
function shown({ stage, seconds, facts }) {
  const parts = (list) => list.map(({ name, seconds: took }) => `${name} ${Math.round(took)} s`).join(', ');
  const { phases = [], slowestTasks = [], machineCpuSeconds: cpu } = facts;
  const told = [parts(phases), cpu ? `processor of the machine ${cpu} s` : ''].filter(Boolean).join('; ');
  console.log(`  ${stage} ${seconds.toFixed(0)} s${told && `: ${told}`}`);
  if (slowestTasks.length) console.log(`     ${parts(slowestTasks)}`);
}

await setup('test');
const { buildCli } = await import('./build-cli.mjs');
await buildCli();
begin();
const found = await measure('tests/bench/image/run.ts', ...process.argv.slice(2, 3));
const built = found && BUILT.includes(found.first.code);
const told = found ? (found.first.last.message ?? `it ended with ${found.first.code}`) : 'it failed';
bar(
  'CI build of an image under software emulation',
  built ? found.first.seconds / 60 : null,
  { below: MINUTES },
  'min',
  {
    digits: 1,
    why: told,
  },
);
for (const stage of found?.stages ?? []) shown(stage);
const cached = built && found.second.last.stages?.every((stage) => stage.cached);
bar(
  'second build, all from the cache',
  cached ? found.second.seconds : null,
  { below: CACHED_SECONDS },
  's',
  {
    digits: 1,
    why: built ? 'not all of it came from the cache' : 'nothing was built',
  },
);
const verified = found?.verified;
bar('problems of the set, every file and chunk read', verified?.problems?.length ?? null, { most: 0 }, '', {
  why: verified?.message ?? 'nothing was built',
});
const booted = found && typeof found.booted === 'object' ? found.booted : null;
bar(
  'starts after flashing, key login and sudo work, passwords do not',
  booted ? Number(booted.sudo && !booted.passwordLogin) : null,
  { least: 1 },
  '',
  {
    why: found?.booted ?? 'nothing was built',
  },
);
if (booted) console.log(`  flashed in ${booted.flashSeconds} s, to SSH in ${booted.bootSeconds} s`);
end();
