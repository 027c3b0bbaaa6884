/**
 * Builds a site bundle on a connected machine: what the layers of a profile install, for a machine with a given dpkg status. May be
 * killed at any moment; the next build in the same folder goes on, and fetches nothing again that is whole.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleManifest } from '../../../preload/contract/bundle.ts';
import { AppError } from '../../../preload/contract/errors.ts';
import { weakestEvidence, type Evidence } from '../../../preload/contract/outcome.ts';
import type { Profile } from '../../../preload/contract/profile.ts';
import { resolveSoftware, type Resolved } from '../../../preload/contract/software.ts';
import { productRoot } from '../paths.ts';
import { ANSIBLE_BYTES, takeAnsible, takeCollections } from './ansible.ts';
import { Apt, installedIn, readStatus } from './apt.ts';
import { indexDebs, missingDebs, planDebs, takeDebs, type DebPlan } from './debs.ts';
import { BuildFolder } from './folder.ts';
import {
  lockFiles,
  planWheels,
  takeWheels,
  versionsIn,
  type LockFile,
  type WheelPlan,
} from './frameworks.ts';
import { imageGiven, missingGiven, modelGiven, takeGiven, type Given } from './given.ts';
import { Hashes } from './hashes.ts';
import { namesToAsk, orders, rolePackages } from './layers.ts';
import { describeBundle, setsOf } from './manifest.ts';
import type { PipTarget } from './pip.ts';
import { requireTools } from './tools.ts';

/** Left free on the disk, as the box leaves it when it fetches. */
const SPARE_BYTES = 1024 ** 3;
/** Layers with Debian packages. */
const APT_LAYERS = [0, 1, 2, 3, 5, 6];
/** Debian's names of processors by the kernel's. */
const ARCH: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64' };

export interface BuildOptions {
  /** Folder of the bundle. */
  out: string;
  profile: Profile;
  layers: readonly number[];
  /** One of the profile, as ubuntu-24.04; null: its first that stands in for nothing. */
  distribution: string | null;
  /** The box's dpkg status; null: nothing is known of it, and all that the packages need is taken, down to libc. */
  status: string | null;
  /** Sources for apt; null: those that come with the app. */
  sources: string | null;
  keyrings: readonly string[];
  /** Folder with layer 4's lock files; null: the role's own. */
  locks: string | null;
  images: readonly string[];
  models: readonly string[];
  /** Packages beside the layers' own, by layer. */
  also: ReadonlyMap<number, readonly string[]>;
  name: string | null;
  /** Weakens what the bundle is: packages of the rig, for one. */
  evidence: Evidence;
  /** Interpreter with pip. */
  python: string;
  signal?: AbortSignal | undefined;
}

export interface Teller {
  note: (text: string) => void;
  /** `total` null where nobody knows it. */
  progress: (what: string, done: number, total: number | null, unit: 'bytes' | 'files') => void;
}

/** What the build will still bring, told before it does. */
export interface Need {
  debs: { count: number; bytes: number };
  /** `bytes` null where nobody has measured it. */
  wheels: { count: number; bytes: number | null };
  given: { count: number; bytes: number };
  /** All of it that is known. */
  bytes: number;
  free: number;
}

export interface Built {
  manifest: BundleManifest;
  need: Need;
  /** What the profile decided, a line each. */
  versions: string[];
}

type Distribution = Profile['distributions'][number];

/** Errors: usage. */
export function chooseDistribution(profile: Profile, wanted: string | null): Distribution {
  const names = profile.distributions.map((d) => `${d.id}-${d.version}`);
  if (wanted === null) {
    const real = profile.distributions.find((d) => d.standIn === undefined) ?? profile.distributions[0];
    if (real) return real;
  }
  const found = profile.distributions.find((_, at) => names[at] === wanted);
  if (!found)
    throw new AppError('usage', {
      what: `The profile ${profile.id} names no system ${wanted}; it names ${names.join(', ')}.`,
    });
  return found;
}

/** Errors: bundle_no_room. */
export function requireRoom(need: Need, path: string): void {
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  if (need.free >= need.bytes + SPARE_BYTES) return;
  throw new AppError('bundle_no_room', { path, need: gb(need.bytes + SPARE_BYTES), free: gb(need.free) });
}

/** One build: what it was asked for, and what its parts share. */
class Build {
  readonly #o: BuildOptions;
  readonly #tell: Teller;
  readonly #folder: BuildFolder;
  readonly #hashes = new Hashes();
  readonly #distribution: Distribution;
  readonly #arch: string;
  readonly #pip: PipTarget;

  constructor(o: BuildOptions, folder: BuildFolder, tell: Teller) {
    this.#o = o;
    this.#tell = tell;
    this.#folder = folder;
    this.#distribution = chooseDistribution(o.profile, o.distribution);
    const machine = o.profile.arch?.value ?? 'x86_64';
    this.#arch = ARCH[machine] ?? machine;
    this.#pip = { python: o.python, version: this.#distribution.python, machine, signal: o.signal };
  }

  get #system(): string {
    return `${this.#distribution.id}-${this.#distribution.version}`;
  }

  #has(layer: number): boolean {
    return this.#o.layers.includes(layer);
  }

  #apt(): Apt | null {
    const { layers, keyrings, status, sources, signal } = this.#o;
    if (!layers.some((layer) => APT_LAYERS.includes(layer))) return null;
    const shipped = join(productRoot(), 'resources/bundle', `${this.#system}.sources`);
    if (sources === null && !existsSync(shipped))
      throw new AppError('usage', {
        what: `No sources for ${this.#system} come with the app: name some with --sources.`,
      });
    const work = join(this.#folder.work, 'apt');
    return new Apt({ work, sources: sources ?? shipped, keyrings, status, arch: this.#arch, signal });
  }

  /** What the profile decides on, and what apt is to be asked for. Errors: bundle_versions_unmet, bundle_sources_failed, bundle_unresolved. */
  async #resolve(
    apt: Apt | null,
    locks: readonly LockFile[],
  ): Promise<{ chosen: Resolved[]; debs: DebPlan | null }> {
    const { profile, layers, status, also } = this.#o;
    const installed = status === null ? [] : installedIn(readStatus(status));
    const software = profile.software ?? [];
    const roles = rolePackages(this.#system);
    if (apt) {
      this.#tell.progress('Reading the sources', 0, null, 'files');
      await apt.update();
    }
    const named = software.filter((c) => c.from === 'apt').flatMap((c) => [...c.packages, ...c.also]);
    const offered =
      (await apt?.versions([...named, ...namesToAsk(roles, installed)])) ?? new Map<string, string[]>();
    const { components, refusals } = resolveSoftware(
      software,
      { apt: offered, wheel: versionsIn(locks) },
      layers,
    );
    if (refusals.length) throw new AppError('bundle_versions_unmet', { detail: refusals.join(' ') });
    if (!apt) return { chosen: components, debs: null };
    this.#tell.progress('Resolving the packages', 0, null, 'files');
    const chosen = components.filter((c) => c.layer < 4);
    const wanted = orders({ layers, roles, chosen, installed, offered, also });
    for (const note of wanted.flatMap((order) => order.notes)) this.#tell.note(note);
    return { chosen: components, debs: await planDebs(apt, wanted) };
  }

  async #need(
    apt: Apt | null,
    debs: DebPlan | null,
    wheels: WheelPlan,
    given: readonly Given[],
  ): Promise<Need> {
    const { signal } = this.#o;
    const none = { count: 0, bytes: 0 };
    const missing = apt && debs ? await missingDebs(debs, apt, this.#folder, this.#hashes, signal) : none;
    const bytes = given.reduce((sum, g) => sum + g.bytes, 0);
    const ansible = this.#has(0) ? ANSIBLE_BYTES : 0;
    return {
      debs: missing,
      wheels: { count: wheels.missing.length, bytes: wheels.bytes },
      given: { count: given.length, bytes },
      bytes: missing.bytes + (wheels.bytes ?? 0) + bytes + ansible,
      free: this.#folder.free(),
    };
  }

  async run(onNeed: (need: Need) => void): Promise<Built> {
    const { o, folder, hashes, tell } = {
      o: this.#o,
      folder: this.#folder,
      hashes: this.#hashes,
      tell: this.#tell,
    };
    const { signal } = o;
    const apt = this.#apt();
    const images: Awaited<ReturnType<typeof imageGiven>>[] = [];
    for (const path of o.images) images.push(await imageGiven(path, this.#arch));
    const models = o.models.flatMap(modelGiven);
    const locks = this.#has(4) ? lockFiles(this.#distribution.python, o.locks) : [];
    const { chosen, debs } = await this.#resolve(apt, locks);

    tell.progress('Looking what is there', 0, null, 'files');
    const wheels = await planWheels(locks, folder, { ownLocks: o.locks === null, hashes, signal });
    const given = await missingGiven([...images, ...models], folder, hashes, signal);
    const need = await this.#need(apt, debs, wheels, given);
    onNeed(need);
    requireRoom(need, o.out);

    if (apt && debs)
      await takeDebs(debs, apt, folder, {
        hashes,
        signal,
        onBytes: (done) => tell.progress('Packages', done, need.debs.bytes, 'bytes'),
      });
    const ansible = this.#has(0);
    if (ansible) tell.progress('Ansible', 0, null, 'files');
    const contents = {
      debs: debs?.layers ?? new Map<number, string[]>(),
      wheels: ansible ? await takeAnsible(folder, this.#pip, hashes) : [],
      collections: ansible ? await takeCollections(folder, this.#pip, hashes) : [],
      frameworks: await takeWheels(wheels, folder, this.#pip, {
        hashes,
        onCount: (done) => tell.progress('Wheels', done, wheels.here.length + wheels.missing.length, 'files'),
      }),
      images: images.map(({ path }) => path.slice('images/'.length)),
      models: models.map(({ path }) => path.slice('models/'.length)),
    };
    await takeGiven(given, folder, {
      signal,
      onBytes: (done) => tell.progress('Images and models', done, need.given.bytes, 'bytes'),
    });
    tell.progress('Index and manifest', 0, null, 'files');
    const name = o.name ?? `${o.profile.title}: layers ${o.layers.join(', ')}`;
    const evidence = weakestEvidence([
      o.evidence,
      this.#distribution.standIn === undefined ? 'real' : 'stand-in',
    ]);
    const { id, version, codename } = this.#distribution;
    if (debs) {
      const labels = { Origin: 'Vault Cube', Label: evidence, Suite: codename, Codename: codename };
      await indexDebs(debs.debs.keys(), folder, labels, `Vault Cube site bundle (${evidence})`, signal);
    }
    const manifest = await describeBundle({
      name,
      distribution: { id, version, codename, arch: this.#arch },
      evidence,
      sets: setsOf(contents),
      locate: (path) => folder.find(path),
      hashes,
      signal,
    });
    folder.commit(manifest);
    return { manifest, need, versions: chosen.map((c) => c.text) };
  }
}

/**
 * Builds or completes the bundle in `out`. `onNeed` is told what is still to come before anything is fetched.
 * Errors: usage, bundle_*, laptop_disk_full, file_unwritable; AbortError when `signal` ends it.
 */
export async function buildBundle(
  o: BuildOptions,
  tell: Teller,
  onNeed: (need: Need) => void = () => undefined,
): Promise<Built> {
  await requireTools(o.layers.some((layer) => layer === 0 || layer === 4) ? o.python : null);
  const folder = await BuildFolder.open(o.out);
  try {
    return await new Build(o, folder, tell).run(onNeed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new AppError('laptop_disk_full', { path: o.out }, error);
    throw error;
  } finally {
    await folder.close();
  }
}
