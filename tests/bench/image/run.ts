/**
 * A build of the golden image by the command, as CI can do it: from the rig's own disk image, layers 1 and 5 from a site bundle, software
 * emulation; then the same once more, and the result started. Last line: JSON for scripts/bench-image.mjs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CLI, Laptop } from '../../integration/cli.ts';
import { PYTHON, must, run } from '../../rig/host.ts';
import { rigSources } from '../../rig/sources.ts';
import { vmImages } from '../../rig/vmimages.ts';
import { boots } from './boots.ts';

const LAYERS = '1,5';
const DISK_BYTES = 6 * 1024 ** 3;

const dir = resolve(process.argv[2] ?? '.cache/bench/image');
mkdirSync(dir, { recursive: true });
const images = await vmImages(console.error);

/** What the layers need beyond what the image has. Kept between runs. */
async function bundle(): Promise<string> {
  const at = join(dir, 'bundle');
  if (existsSync(join(at, 'manifest.json'))) return at;
  const status = join(dir, 'vm.status');
  execFileSync('debugfs', ['-R', `dump /var/lib/dpkg/status ${status}`, images.live], { stdio: 'ignore' });
  const sources = join(dir, 'rig.list');
  writeFileSync(sources, `${rigSources()?.all ?? ''}\n`);
  await must(process.execPath, [
    ...[CLI, 'bundle', 'build', '--out', at, '--distribution', 'debian-13', '--layers', LAYERS],
    ...['--status', status, '--sources', sources, '--python', PYTHON, '--stand-in'],
  ]);
  return at;
}

interface Spent {
  stage: string;
  seconds: number;
  facts: Record<string, unknown>;
}

/** What each stage that was built took, and what it took it for. */
const spent = (work: string): Spent[] =>
  readdirSync(join(work, 'cache'))
    .map((name) => join(work, 'cache', name, 'stage.json'))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as Spent & { id: string })
    .map(({ id, seconds, facts }) => ({ stage: id, seconds, facts }))
    .toSorted((a, b) => (a.stage < b.stage ? -1 : 1));

const from = await bundle();
const work = join(dir, 'work');
rmSync(work, { recursive: true, force: true });
const laptop = new Laptop();
try {
  const args = [
    ...['image', 'build', '--base', images.golden, '--layers', LAYERS, '--bundle', from, '--work', work],
    ...['--accel', 'tcg', '--memory', '1024', '--cpus', '2', '--disk-size', '4G', '--no-second-run'],
  ];
  const timed = async () => {
    const begun = performance.now();
    const { code, last } = await laptop.run(...args);
    return { code, seconds: (performance.now() - begun) / 1000, last };
  };
  const first = await timed();
  console.error(JSON.stringify(first));
  const second = await timed();
  const set = join(work, 'sets/vault-cube-demo-box-v1.0');
  const built = existsSync(set);
  // It asks for no secrets, and takes no file of them.
  const proof = built ? await run(process.execPath, [CLI, 'image', 'verify', set, '--json']) : null;
  const verified: unknown = proof && JSON.parse(proof.stdout.trim().split('\n').at(-1) ?? 'null');
  const booted = built
    ? await boots(join(set, 'vault-cube-demo-box-v1.0.qcow2'), DISK_BYTES).catch(
        (error: Error) => error.message,
      )
    : 'nothing was built';
  const stages = spent(work);
  console.log(JSON.stringify({ first, second, stages, verified, booted }));
} finally {
  laptop.remove();
}
