/** The rig by hand: `npx tsx tests/rig/cli.ts build | up [root-only] | cleanup`. */
import { once } from 'node:events';
import { RigBox, whyNoRig } from './box.ts';
import { build } from './build.ts';
import { cleanUp } from './resources.ts';

const USAGE = 'usage: npx tsx tests/rig/cli.ts build | up [root-only] | cleanup';

/** Starts a box, says how to reach it, and keeps it until Ctrl+C. */
async function up(variant: 'installer' | 'root-only'): Promise<void> {
  await build(console.log);
  const ended = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const box = await RigBox.start({ variant });
  console.log(
    [
      `box          ${box.name} (stand-in)`,
      `address      ${box.host} port ${box.port}`,
      `user         ${box.user}`,
      `password     ${box.password}`,
      `fingerprint  ${box.fingerprint()}`,
      `bundle       ${box.bundle}`,
      'Ctrl+C stops and removes it.',
    ].join('\n'),
  );
  // A signal listener alone does not keep Node alive.
  const alive = setInterval(() => undefined, 2 ** 30);
  await ended;
  clearInterval(alive);
  await box.stop();
  console.log('stopped');
}

async function main(argv: readonly string[]): Promise<number> {
  const why = whyNoRig();
  if (why !== null) {
    console.error(`the rig cannot run here: ${why}`);
    return 1;
  }
  const [command, variant = 'installer', ...rest] = argv;
  const good = rest.length === 0 && (variant === 'installer' || variant === 'root-only');
  if (command === 'build' && argv.length === 1) {
    const built = await build(console.log);
    console.log(`root    ${built.root}\nbundle  ${built.bundle}`);
    return 0;
  }
  if (command === 'up' && good) {
    await up(variant);
    return 0;
  }
  if (command === 'cleanup' && argv.length === 1) {
    const removed = await cleanUp();
    console.log(removed.length === 0 ? 'nothing to clean' : `removed ${removed.join(', ')}`);
    return 0;
  }
  console.error(USAGE);
  return 2;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
