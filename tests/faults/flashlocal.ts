/**
 * Faults of a flash at this laptop, each anywhere in it: it ends as what it is, what is not whole starts nothing, and the same order again
 * ends with the bytes of the image.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, statSync, truncateSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FlashResult } from '../../main/services/flash/flash.ts';
import { CHUNK_BYTES } from '../../main/services/flash/source/types.ts';
import { endOf } from '../integration/flash.ts';
import { ROOT } from '../rig/host.ts';
import { FlashBench } from './flashbench.ts';
import { FileDisk, FullFile, WornDisk, type FaultDisk } from './flashdisks.ts';
import { CHUNKS, NEEDED, SEALED, anyKind } from './flashimage.ts';
import { MIB } from '../unit/flash/partitions.ts';
import type { Orders } from './flasher.ts';
import { anyMoment, striking, type Moment, type Phase } from './moments.ts';
import type { Random } from './random.ts';
import type { Place, Told } from './stage.ts';

const FLASHER = fileURLToPath(new URL('flasher.ts', import.meta.url));

/** How often it was in which phase, and what came of it at once. */
const counted = ({ phase }: { phase: Phase }, end: string): Record<string, number> => ({
  [`in ${phase}`]: 1,
  [end]: 1,
});

/** Runs the app of its own; whether it was killed. Rejects where it ended in any other way than the one that it told. */
export function appKilled(orders: Orders): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const args = ['--import', 'tsx', FLASHER, JSON.stringify(orders)];
    execFile(process.execPath, args, { cwd: ROOT }, (error, stdout, stderr) => {
      if (error?.signal === 'SIGKILL') resolve(true);
      else if (error) reject(new Error(`the app ended by itself: ${stdout}${stderr}`));
      else if (stdout.trim() === '["verified"]') resolve(false);
      else reject(new Error(`it was not killed, and ended as ${stdout}`));
    });
  });
}

export const onFileDisk = (random: Random): FlashBench<FileDisk> =>
  new FlashBench((folder) => new FileDisk(folder), anyKind(random));

/** `kill -9` of the app. Its writer ends what it has in flight; half of the time the next attempt comes at once. */
export async function flashApp(bench: FlashBench<FileDisk>, random: Random): Promise<Told> {
  const moment = anyMoment(random);
  const { desk, disk, image } = bench;
  const killed = await appKilled({ of: 'laptop', home: desk.home, image, target: disk.target, moment });
  assert(killed, `nothing came to ${moment.is} ${moment.nth} of ${moment.phase}`);
  const wait = random.chance(0.5);
  if (wait) await bench.standing();
  const counts = counted(moment, wait ? 'killed' : 'killed and at once');
  if (!wait && moment.is === 'opened') {
    // Nobody knows yet that there is a writer to wait for.
    const early = await bench.flash();
    if (early.state !== 'verified') await bench.judge(early, ['interrupted', 'flash_target_in_use']);
  }
  return bench.goOn(counts, moment, 'lost');
}

/** `kill -9` of the program that writes. */
export async function flashWriter(bench: FlashBench<FileDisk>, random: Random): Promise<Told> {
  const moment = anyMoment(random);
  const result = await struck(bench, moment, (kill) => kill());
  await bench.judge(result, ['interrupted', 'flash_writer_gone']);
  return bench.goOn(counted(moment, result.state), moment);
}

/** The disk vanishes, and is back for the next attempt with what it had. */
export async function flashGone(bench: FlashBench<FileDisk>, random: Random): Promise<Told> {
  const moment = anyMoment(random);
  const result = await struck(bench, moment, () => bench.disk.vanish());
  await bench.disk.settle();
  bench.disk.comeBack();
  await bench.judge(
    result,
    ['interrupted', 'flash_target_gone'],
    // Between its opening and its first byte it is looked for once more.
    ...(moment.is === 'opened' ? ([['interrupted', 'flash_target_missing']] as const) : []),
  );
  return bench.goOn(counted(moment, result.state));
}

/** A flash at whose moment something happens; rejects where it never came. */
async function struck(
  bench: FlashBench<FaultDisk>,
  moment: Moment,
  strike: (kill: () => void) => void,
): Promise<FlashResult> {
  let came = false;
  const launch = striking(moment, (kill) => {
    came = true;
    strike(kill);
  });
  const result = await bench.flash({ launch });
  assert(came, `nothing came to ${moment.is} ${moment.nth} of ${moment.phase}: ${endOf(result).join()}`);
  return result;
}

/** A disk that is to break at a moment: it takes no more data, or does not give a part of itself back. */
export interface Breaking extends Place {
  what: 'write' | 'read';
  bench: FlashBench<FaultDisk & { repair(): void }>;
  moment: Moment;
  harm: () => void;
}

const breaking = (parts: Omit<Breaking, keyof Place>): Breaking => ({
  ...parts,
  keep: (folder) => parts.bench.keep(folder),
  close: () => parts.bench.close(),
});

function wearing(random: Random): Breaking {
  const bench = new FlashBench(() => new WornDisk(), anyKind(random), 4096);
  return breaking({ what: 'write', bench, moment: anyMoment(random), harm: () => bench.disk.wear() });
}

/** What was read is not read again, so it breaks before it is: in its last chunks, or behind the seal. */
function rotting(random: Random): Breaking {
  const bench = onFileDisk(random);
  const sealed = random.chance(0.3);
  const moment: Moment = sealed
    ? { phase: 'seal', is: 'written', nth: 3 }
    : { phase: 'verify', is: 'read', nth: 1 + Math.floor(random.between(0, 3)) };
  const chunk = sealed ? CHUNKS - 1 : Math.floor(random.between(20, CHUNKS));
  const at = chunk * CHUNK_BYTES + 4096 * Math.floor(random.between(0, 1000));
  return breaking({ what: 'read', bench, moment, harm: () => bench.disk.breakFrom(at) });
}

export function onBadDisk(random: Random): Breaking {
  const wears = random.chance(0.6);
  return wears && WornDisk.whyNot() === null ? wearing(random) : rotting(random);
}

/** An I/O error in the middle: that is a failure, and the disk starts nothing. With a disk that works again the same order passes. */
export async function flashIo({ what, bench, moment, harm }: Breaking): Promise<Told> {
  const result = await struck(bench, moment, harm);
  bench.disk.repair();
  await bench.judge(result, ['failed', 'flash_target_io']);
  if (what === 'read') assert.equal(result.state, 'failed', 'nobody noticed');
  return bench.goOn({ ...counted(moment, result.state), [`of a ${what}`]: 1 });
}

/** The image is cut off in flight. It is refused as long as it is, and flashed once it is whole again. */
export async function flashSource(bench: FlashBench<FileDisk>, random: Random): Promise<Told> {
  const moment = anyMoment(random);
  const { image } = bench;
  const whole = bench.desk.path('whole');
  copyFileSync(image, whole);
  const rest = Math.floor(statSync(image).size * random.between(0.1, 0.9));
  const result = await struck(bench, moment, () => truncateSync(image, rest));
  const ends = [['failed', 'flash_image_moved'] as const, ['failed', 'image_truncated'] as const];
  const standing = await bench.judge(result, ...ends);
  // All of it was read and compared before the seal.
  assert.equal(result.state === 'verified', moment.phase === 'seal', result.state);
  const again = await bench.flash();
  assert.equal(again.state, 'failed', endOf(again).join());
  assert.equal(await bench.standing(), standing, 'what was refused has changed the disk');
  copyFileSync(whole, image);
  return bench.goOn(counted(moment, result.state));
}

/** Too little in any case: what is wiped takes room, and most of the data does. */
export function onFullFile(random: Random): FlashBench<FullFile> {
  const room = random.between(MIB, NEEDED - MIB);
  return new FlashBench((folder) => new FullFile(folder, room), anyKind(random));
}

/** The file system of the target gets full on the way, wherever its room ends. */
export async function flashFull(bench: FlashBench<FullFile>): Promise<Told> {
  const { disk } = bench;
  const phase = disk.room < SEALED.length * CHUNK_BYTES ? 'wipe' : 'write';
  const result = await bench.flash();
  assert.equal(result.state, 'interrupted', endOf(result).join());
  await bench.judge(result, ['interrupted', 'flash_target_full']);
  disk.makeRoom();
  return bench.goOn(counted({ phase }, result.state));
}
