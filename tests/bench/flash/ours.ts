/**
 * One flash at this laptop by the product's own path, in a process of its own: `tsx ours.ts IMAGE disk|file TARGET BYTES [PEAK]`. The real
 * writer is its child; PEAK is a file that gets the writer's largest resident memory. The last line is a JSON object of Took.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../../main/journal/journal.ts';
import { flash, type FlashTarget } from '../../../main/services/flash/flash.ts';
import { launchFor, launchPlain } from '../../../main/services/flash/launch.ts';
import { productRoot } from '../../../main/services/paths.ts';
import { Clock } from './clock.ts';

const [image = '', kind, path = '', bytes = '', peak] = process.argv.slice(2);
const name = 'the benchmark';
const target: FlashTarget =
  kind === 'file'
    ? { kind: 'file', path, name }
    : { kind: 'disk', path, serial: null, size: Number(bytes), name };
const writer = join(productRoot(), 'resources/box/vcflash/__main__.py');
// As launch.ts has it for root.
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const launch =
  peak === undefined
    ? launchFor(target.kind, () => Promise.resolve(null))
    : launchPlain(['python3', join(import.meta.dirname, 'peak.py'), peak, python, '-I', '-B', writer]);

const dir = mkdtempSync(join(tmpdir(), 'vc-bench-home-'));
try {
  const home = join(dir, 'home');
  mkdirSync(home, { mode: 0o700 });
  // As in an app that runs already: a new journal is made once and not for each flash.
  const journal = Journal.open(join(home, 'journal.db'));
  const clock = new Clock();
  const laptop = { name: 'laptop', user: 'bench' };
  const signal = new AbortController().signal;
  const onProgress = ({ phase }: { phase: string }) => clock.phase(phase);
  const result = await flash(
    { home, journal, laptop, version: 'bench' },
    { image, target, launch, signal, onProgress },
  );
  const took = clock.end();
  journal.close();
  if (result.state !== 'verified') throw new Error(`${result.state}: ${result.error.message}`);
  const peakBytes = peak === undefined ? null : Number(readFileSync(peak, 'utf8'));
  console.log(JSON.stringify({ ...took, writtenBytes: result.proof.writtenBytes, peakBytes }));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
