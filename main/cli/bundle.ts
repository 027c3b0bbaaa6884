/** The commands bundle build and bundle verify: what a box without a network installs from (docs/adr/0005-bundle.md). */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../../preload/contract/errors.ts';
import { EXIT_CODES, type Outcome } from '../../preload/contract/outcome.ts';
import { buildBundle, type Need } from '../services/bundle/build.ts';
import { parseBundleLayers } from '../services/bundle/layers.ts';
import { verifyBundle, type Verified } from '../services/bundle/verify.ts';
import { DEFAULT_PROFILE, loadProfile } from '../services/profiles.ts';
import { Detached, type CommonOptions } from './context.ts';
import { Output, bytesText } from './output.ts';

interface BuildFlags extends CommonOptions {
  out: string;
  profile?: string;
  distribution?: string;
  layers?: string;
  status?: string;
  sources?: string;
  keyring?: string[];
  locks?: string;
  image?: string[];
  model?: string[];
  also?: string[];
  name?: string;
  python?: string;
  standIn?: boolean;
}

/** Layer 6 is for boxes that want it. */
const ALL_LAYERS = '0,1,2,3,4,5';

/** "2:linux-headers-generic" by layer. Errors: usage. */
function alsoOf(words: readonly string[]): Map<number, string[]> {
  const also = new Map<number, string[]>();
  for (const word of words) {
    const [, layer, name] = /^([0-5]):(\S+)$/.exec(word) ?? [];
    if (layer === undefined || name === undefined)
      throw new AppError('usage', {
        what: `--also wants LAYER:PACKAGE, as 2:linux-headers-generic, not "${word}".`,
      });
    also.set(Number(layer), [...(also.get(Number(layer)) ?? []), name]);
  }
  return also;
}

function tellNeed(out: Output, { debs, wheels, given, bytes, free }: Need): void {
  const size = (value: number | null) => (value === null ? 'size not known' : bytesText(value));
  const parts = [
    ...(debs.count ? [`${debs.count} packages (${size(debs.bytes)})`] : []),
    ...(wheels.count
      ? [`${wheels.count} wheels (${wheels.bytes === null ? '' : 'about '}${size(wheels.bytes)})`]
      : []),
    ...(given.count ? [`${given.count} given files (${size(given.bytes)})`] : []),
  ];
  out.line(`To come: ${parts.join(', ') || 'nothing'}; needs ${bytesText(bytes)}, ${bytesText(free)} free.`);
}

async function runBuild(o: BuildFlags): Promise<number> {
  const out = new Output(o.json ?? false);
  const abort = new AbortController();
  const onSignal = () =>
    abort.abort(
      new Detached(
        'Stopped. The same command goes on where it stood; nothing that is whole is fetched again.',
      ),
    );
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const path = (given: string | undefined) => (given === undefined ? null : resolve(given));
  const started = performance.now();
  try {
    if (o.status === undefined)
      out.note(
        'No --status: nothing is known of the box, so all that its packages need is taken, down to libc.',
      );
    const { manifest, need, versions } = await buildBundle(
      {
        out: resolve(o.out),
        profile: loadProfile(o.profile ?? DEFAULT_PROFILE).profile,
        layers: parseBundleLayers(o.layers ?? ALL_LAYERS),
        distribution: o.distribution ?? null,
        status: path(o.status),
        sources: path(o.sources),
        keyrings: (o.keyring ?? []).map((name) => resolve(name)),
        locks: path(o.locks),
        images: (o.image ?? []).map((name) => resolve(name)),
        models: (o.model ?? []).map((name) => resolve(name)),
        also: alsoOf(o.also ?? []),
        name: o.name ?? null,
        evidence: o.standIn ? 'stand-in' : 'real',
        python: o.python ?? 'python3',
        signal: abort.signal,
      },
      {
        note: (text) => out.note(text),
        progress: (what, done, total, unit) => out.progress(what, done, total, unit),
      },
      (told) => tellNeed(out, told),
    );
    const bytes = manifest.files.reduce((sum, f) => sum + f.size, 0);
    for (const line of versions) out.line(line);
    const minutes = ((performance.now() - started) / 60_000).toFixed(1);
    out.line(
      `${manifest.name}: ${manifest.files.length} files, ${bytesText(bytes)}, in ${minutes} min [${manifest.evidence}]`,
    );
    out.line(`bundle: ${resolve(o.out)}`);
    const { name, evidence, files, sets } = manifest;
    const counts = Object.fromEntries(Object.entries(sets).map(([set, paths]) => [set, paths.length]));
    const told = {
      bundle: resolve(o.out),
      name,
      evidence,
      files: files.length,
      bytes,
      sets: counts,
      need,
      versions,
    };
    out.result({ ok: true, ...told, exit: EXIT_CODES.passed });
    return EXIT_CODES.passed;
  } catch (error) {
    if (abort.signal.reason instanceof Detached) throw abort.signal.reason;
    throw error;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** What did not run did not pass: a signature that nobody looked at leaves the bundle's verdict open. */
function outcomeOf({ problems, notChecked }: Verified): Outcome {
  if (problems.length) return 'failed';
  return notChecked === null ? 'passed' : 'incomplete';
}

async function runVerify(dir: string, o: CommonOptions): Promise<number> {
  const out = new Output(o.json ?? false);
  const path = resolve(dir);
  const verified = await verifyBundle(path, (done, total) => out.progress('Files', done, total, 'bytes'));
  const { manifest, manifestSha256, bytes, problems, notChecked } = verified;
  for (const { kind, detail } of problems) out.line(`✕ ${kind.replace('_', ' ')}  ${detail}`);
  if (notChecked !== null) out.line(`– The repository's signature was not checked: ${notChecked}.`);
  const outcome = outcomeOf(verified);
  const told = problems.length
    ? `${problems.length} problems`
    : outcome === 'passed'
      ? 'whole'
      : 'whole, its signature not checked';
  out.line(
    `${manifest.name}: ${manifest.files.length} files, ${bytesText(bytes)}: ${told} [${manifest.evidence}]`,
  );
  if (problems.length)
    out.line(
      '→ Run "vault-cube bundle build" again for this folder, or copy it again; only what is broken is fetched.',
    );
  const { name, created, distribution, evidence, files } = manifest;
  out.result({
    ...{
      ok: outcome === 'passed',
      outcome,
      exit: EXIT_CODES[outcome],
      bundle: path,
      name,
      created,
      distribution,
    },
    ...{ evidence, manifestSha256, files: files.length, bytes, problems, notChecked },
  });
  return EXIT_CODES[outcome];
}

/** Adds the commands; `run` gives each its exit code. */
export function addBundleCommands(
  program: Command,
  run: <O extends CommonOptions>(command: Command, fn: (o: O, argument: string) => Promise<number>) => void,
): void {
  const bundle = program
    .command('bundle')
    .description('Site bundles: what a box without a network installs from');
  const json = ['--json', 'one JSON object a line'] as const;
  run<BuildFlags>(
    bundle
      .command('build')
      .description(
        'On a connected machine, gather what the layers install; goes on where an earlier build was broken off',
      )
      .requiredOption('--out <folder>', 'the bundle')
      .option('--profile <name or file>', `hardware profile (${DEFAULT_PROFILE})`)
      .option('--distribution <id-version>', "the box's system, one of the profile (its first)")
      .option('--layers <list>', 'which', ALL_LAYERS)
      .option('--status <file>', "the box's /var/lib/dpkg/status, or .gz: only what it lacks is taken")
      .option(
        '--sources <file>',
        'where the packages come from, as in /etc/apt/sources.list.d (those of the app)',
      )
      .option('--keyring <file...>', 'keys of sources that name none themselves')
      .option('--locks <folder>', "layer 4's lock files, torch.txt for example (those of the role)")
      .option('--image <file...>', 'container images, as "docker save" writes them')
      .option('--model <folder...>', 'model directories')
      .option('--also <layer:package...>', 'more packages, as 2:linux-headers-generic')
      .option('--name <text>', 'what the bundle is called')
      .option('--python <path>', 'interpreter with pip (python3)')
      .option('--stand-in', 'the packages are stand-ins for tests, and the bundle says so')
      .option(...json),
    (o) => runBuild(o),
  );
  run<CommonOptions>(
    bundle
      .command('verify <folder>')
      .description(
        'Hash every file of a bundle, name each that is missing, short, changed or surplus, check the signature',
      )
      .option(...json)
      .addHelpText(
        'after',
        '\nExit codes: 0 whole, 20 not whole, 21 whole but its signature not checked (no gpgv here), 6 no bundle.',
      ),
    (o, folder) => runVerify(folder, o),
  );
}
