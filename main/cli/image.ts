/** The commands image build, image verify and image history: the golden image, on a machine of the factory (docs/adr/0017-image-build.md). */
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { STAGE_TABLE, type StageRecord } from '../../preload/contract/image-build.ts';
import { AppError } from '../../preload/contract/errors.ts';
import { IMAGE_DEFAULTS as DEFAULTS, orderFaults } from '../../preload/contract/image-order.ts';
import { EXIT_CODES, OUTCOME_WORDS } from '../../preload/contract/outcome.ts';
import { signBytes } from '../services/archive/minisign.ts';
import { keyId } from '../services/archive/signature.ts';
import { openSigningKey } from '../services/archive/signing.ts';
import { publicKeyFrom, trustedKeys } from '../services/archive/trust.ts';
import { parseBundleLayers } from '../services/bundle/layers.ts';
import { dataHome } from '../services/datahome.ts';
import { buildImage } from '../services/image/build.ts';
import { imageBuilds } from '../services/image/history.ts';
import type { ImageOrder } from '../services/image/order.ts';
import { outcomeOfSet, signedWords } from '../services/image/set.ts';
import { verifySet, type KnownKey } from '../services/image/verify.ts';
import { productRoot } from '../services/paths.ts';
import { DEFAULT_PROFILE } from '../services/profiles.ts';
import { Detached, withApp, type CommonOptions, type Context } from './context.ts';
import { Output, bytesText, secondsText, table } from './output.ts';

interface BuildFlags extends CommonOptions {
  base?: string;
  iso?: string;
  baseSha256?: string;
  profile: string;
  layers: string;
  bundle?: string;
  name: string;
  imageVersion: string;
  work?: string;
  out?: string;
  sign?: string;
  accel: string;
  memory: string;
  cpus: string;
  diskSize: string;
  secondRun: boolean;
  project?: string;
}

function whole(option: string, text: string): number {
  const fault = orderFaults.whole(text, `--${option}`);
  if (fault !== null) throw new AppError('usage', { what: fault });
  return Number(text);
}

function sourceOf({ base, iso, baseSha256 }: BuildFlags): ImageOrder['source'] {
  const [path, ...more] = [base, iso].filter((given) => given !== undefined);
  if (path === undefined || more.length)
    throw new AppError('usage', { what: 'Give either --base or --iso.' });
  const fault = baseSha256 === undefined ? null : orderFaults.sha256(baseSha256, '--base-sha256');
  if (fault !== null) throw new AppError('usage', { what: fault });
  return { kind: base === undefined ? 'iso' : 'disk', path: resolve(path), sha256: baseSha256 ?? null };
}

function accelOf(given: string): ImageOrder['accel'] {
  if (given === 'auto' || given === 'kvm' || given === 'tcg') return given;
  throw new AppError('usage', { what: `--accel wants auto, kvm or tcg, not "${given}".` });
}

async function orderOf(
  o: BuildFlags,
  { app, secrets }: Pick<Context, 'app' | 'secrets'>,
): Promise<ImageOrder> {
  const key = o.sign === undefined ? null : await openSigningKey(resolve(o.sign), secrets);
  const work = resolve(o.work ?? join(app.home, 'images'));
  return {
    ...{ source: sourceOf(o), profile: o.profile, layers: parseBundleLayers(o.layers) },
    ...{
      bundle: o.bundle === undefined ? null : resolve(o.bundle),
      name: o.name,
      version: o.imageVersion,
      work,
    },
    out: resolve(o.out ?? join(work, 'sets', `${o.name}-v${o.imageVersion}`)),
    signer: key && ((bytes, trusted) => signBytes(bytes, key, trusted)),
    signerId: key && keyId(key.id),
    ...{ accel: accelOf(o.accel), memoryMiB: whole('memory', o.memory), cpus: whole('cpus', o.cpus) },
    ...{ diskSize: o.diskSize, secondRun: o.secondRun, project: resolve(o.project ?? productRoot()) },
  };
}

const stageRow = ({
  id,
  title,
  seconds,
  nominalSeconds,
  cached,
  outcome,
  evidence,
}: StageRecord): string[] => [
  id,
  title,
  cached ? 'cached' : secondsText(seconds),
  `nominal ${secondsText(nominalSeconds)}`,
  `${OUTCOME_WORDS[outcome]}${evidence === 'real' ? '' : ` [${evidence}]`}`,
];

const runBuild = (o: BuildFlags): Promise<number> =>
  withApp(o, async (ctx) => {
    const { app, out } = ctx;
    const order = await orderOf(o, ctx);
    const stop = new AbortController();
    const onAbort = () =>
      stop.abort(new Detached('Stopped. The same command goes on with the stage that was running.'));
    ctx.signal.addEventListener('abort', onAbort, { once: true });
    const begun = performance.now();
    const { build, outcome, stages, setCached, out: set } = await buildImage(app, order, stop.signal);
    const seconds = (performance.now() - begun) / 1000;
    for (const line of table(stages.map(stageRow))) out.line(line);
    out.line(
      `image: ${set}${setCached ? ' (unchanged)' : ''}, ${OUTCOME_WORDS[outcome]}, in ${secondsText(seconds)}`,
    );
    if (order.signer === null) out.line('It is not signed: --sign names a key.');
    const shown = stages.map(({ id, seconds: s, cached, outcome: of }) => ({
      id,
      seconds: s,
      cached,
      outcome: of,
    }));
    const ok = outcome === 'passed' || outcome === 'passed_with_deviations';
    out.result({
      ok,
      outcome,
      exit: EXIT_CODES[outcome],
      build,
      image: set,
      seconds,
      stages: shown,
      setCached,
    });
    return EXIT_CODES[outcome];
  });

interface VerifyFlags extends CommonOptions {
  key?: string;
}

async function runVerify(dir: string, o: VerifyFlags): Promise<number> {
  const out = new Output(o.json ?? false);
  const path = resolve(dir);
  const keys: KnownKey[] =
    o.key === undefined ? trustedKeys(dataHome()) : [{ name: o.key, key: publicKeyFrom(o.key) }];
  const { manifest, problems, signature } = await verifySet(path, { keys });
  for (const problem of problems) out.line(`✕ ${problem}`);
  const outcome = outcomeOfSet({ problems, signature });
  const { name, version, build, labels } = manifest;
  const size = build ? `, ${bytesText(build.fileBytes)}, disk ${bytesText(manifest.virtualSize)}` : '';
  out.line(
    `${name} ${version}${size}: ${problems.length ? `${problems.length} problems` : 'whole'}, ${signedWords(signature)}`,
  );
  for (const label of labels) out.line(`  ${label}`);
  out.result({
    ...{
      ok: outcome === 'passed',
      outcome,
      exit: EXIT_CODES[outcome],
      image: path,
      name,
      version,
      labels,
      problems,
    },
    ...{ signature, fileSha256: manifest.fileSha256, diskRoot: manifest.diskRoot },
  });
  return EXIT_CODES[outcome];
}

const runHistory = (o: CommonOptions): Promise<number> =>
  withApp({ ...o, readOnly: true }, ({ app, out }) => {
    const builds = imageBuilds(app.journal);
    for (const { build, image, createdAt, stages } of builds) {
      out.line(`${image}  ${createdAt}  ${build}`);
      const rows = stages.map(({ stage, title, state, seconds, nominalSeconds, attempt, detail }) => [
        ...[`  ${stage}`, title, state, secondsText(seconds), `nominal ${secondsText(nominalSeconds)}`],
        ...[`attempt ${attempt}`, detail ?? ''],
      ]);
      for (const line of table(rows)) out.line(line);
    }
    if (builds.length === 0) out.line('No image was built here yet.');
    out.result({ ok: true, exit: EXIT_CODES.passed, builds });
    return Promise.resolve(EXIT_CODES.passed);
  });

/** Adds the commands; `run` gives each its exit code. */
export function addImageCommands(
  program: Command,
  run: <O extends CommonOptions>(command: Command, fn: (o: O, argument: string) => Promise<number>) => void,
): void {
  const image = program
    .command('image')
    .description('Golden images: build one, prove a set of files, see what was built');
  const json = ['--json', 'one JSON object a line'] as const;
  const stages = Object.entries(STAGE_TABLE).map(
    ([id, { title, nominalSeconds }]) => `  ${id} ${title} (${nominalSeconds / 60} min)`,
  );
  run<BuildFlags>(
    image
      .command('build')
      .description(
        'Build a golden image, as root; stages whose inputs have not changed are taken from the cache',
      )
      .option('--base <file>', 'an existing disk image to start from, qcow2 or raw, with cloud-init')
      .option('--iso <file>', "Ubuntu Server 24.04's installer to start from (never run yet)")
      .option('--base-sha256 <hex>', 'what either must hash to')
      .option('--profile <name or file>', 'hardware profile', DEFAULT_PROFILE)
      .option('--layers <list>', 'which layers', DEFAULTS.layers.join(','))
      .option('--bundle <folder>', "site bundle to install from; without one the machine's own sources")
      .option('--name <text>', 'what the image is called', DEFAULTS.name)
      .option('--image-version <text>', 'its version', DEFAULTS.version)
      .option('--work <folder>', "cache and logs (images in the app's data folder)")
      .option('--out <folder>', 'where the set comes; it must not be there yet')
      .option('--sign <key file>', 'secret key of minisign; "vault-cube signing-key" makes one')
      .option('--accel <auto|kvm|tcg>', 'how the virtual machine runs; auto tries KVM', 'auto')
      .option('--memory <MiB>', 'of the virtual machine', String(DEFAULTS.memoryMiB))
      .option('--cpus <number>', 'of the virtual machine', String(DEFAULTS.cpus))
      .option('--disk-size <size>', 'of the disk in the image', DEFAULTS.diskSize)
      .option('--no-second-run', 'in P4, leave out the second run of the roles; the image is then incomplete')
      .option('--project <folder>', 'holds packer/ and ansible/ (those of the app)')
      .option('--secrets <file>', 'secrets as JSON, - for stdin')
      .option(...json)
      .addHelpText(
        'after',
        `\nStages, each stopping the build where it fails:\n${stages.join('\n')}\n\nExit codes: 0 passed, 10 with deviations, 21 incomplete; 8 a stage failed, 2 a wrong order, 6 this machine.`,
      ),
    (o) => runBuild(o),
  );
  run<VerifyFlags>(
    image
      .command('verify <folder>')
      .description('Prove a set offline: every file, every chunk of the disk, and the signature')
      .option(
        '--key <file or line>',
        'public key of minisign that must have signed it (those that "vault-cube trust" knows)',
      )
      .option(...json)
      .addHelpText(
        'after',
        '\nExit codes: 0 whole and signed by a known key, 20 not whole, 21 whole but nobody known signed it, 6 no set.',
      ),
    (o, folder) => runVerify(folder, o),
  );
  run<CommonOptions>(
    image
      .command('history')
      .description('Builds of this machine, their stages and times')
      .option(...json),
    (o) => runHistory(o),
  );
}
