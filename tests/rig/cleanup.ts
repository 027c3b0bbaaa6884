/** Removes what boxes of dead processes left on this machine: `npx tsx tests/rig/cleanup.ts`. Each start of a box does it, too. */
import { whyNoRig } from './host.ts';
import { cleanUp } from './resources.ts';
import { cleanUpVms } from './vmplace.ts';

async function main(): Promise<void> {
  const why = whyNoRig();
  if (why !== null) {
    console.log(`nothing to clean: ${why}`);
    return;
  }
  const removed = [...(await cleanUp()), ...cleanUpVms()];
  console.log(removed.length === 0 ? 'nothing to clean' : `removed ${removed.join(', ')}`);
}

await main();
