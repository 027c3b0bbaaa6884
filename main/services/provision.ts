/** Provision: the layers as a run of jobs, each fetched, installed and looked at, or only looked at (spec W5, L0 to L5). */
import type { BundleManifest } from '../../preload/contract/bundle.ts';
import { AppError } from '../../preload/contract/errors.ts';
import type { BoxFacts } from '../../preload/contract/facts.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { Run, Session } from '../../preload/contract/session.ts';
import { resolveSoftware } from '../../preload/contract/software.ts';
import { layerOpen, layersOf } from '../../preload/contract/standing.ts';
import type { App } from './app.ts';
import { Bundle } from './bundle.ts';
import { mustBeUnblocked } from './blocked.ts';
import { health, install, MODELS_LAYER, titleOf, type Order } from './layers.ts';
import { offeredBy } from './offered.ts';
import { makeRun, standingOf, type PhasePlan } from './runs.ts';

/** "0,1" as layers in order; all that are not optional when nothing is named. Errors: layer_unknown. */
export function parseLayers(text: string | undefined, profile: Profile): number[] {
  const all = layersOf(profile);
  if (text === undefined) return all.filter((l) => !l.optional).map((l) => l.layer);
  const known = all.map((l) => l.layer);
  const layers = text.split(',').map((word) => {
    const layer = /^\d+$/.test(word.trim()) ? Number(word.trim()) : NaN;
    if (!known.includes(layer))
      throw new AppError('layer_unknown', { layer: word.trim(), known: known.join(', ') });
    return layer;
  });
  return [...new Set(layers)].sort((a, b) => a - b);
}

/** Those that were begun on the box; all that the profile has where none was. */
export function layersBegun(app: App, session: Session, profile: Profile): number[] {
  const parts = standingOf(app.journal, session, profile).layers;
  const begun = parts.filter((p) => p.attempts > 0);
  return (begun.length ? begun : parts).flatMap((p) => p.layer ?? []);
}

const named = (layers: readonly number[]) => layers.map((l) => `L${l}`).join(', ');

/** The sets of a bundle that a layer installs from. Models have a set of their own, which the layer with the demos lays out. */
function setsOf(layer: number, { sets }: BundleManifest): string[] {
  return [`l${layer}`, ...(layer === MODELS_LAYER && Object.hasOwn(sets, 'models') ? ['models'] : [])];
}

function phases(layer: number, { manifest, manifestSha256 }: Bundle, order: Order): PhasePlan[] {
  const title = titleOf(layer);
  const fetch: PhasePlan = {
    id: `l${layer}-fetch`,
    title: `Fetch ${title}`,
    kind: 'fetch',
    layer,
    suite: null,
    params: { layer, manifestSha256, sets: setsOf(layer, manifest), title },
  };
  return [fetch, ...install(layer, order), health(layer, order)];
}

/** The facts of the last preflight. Errors: preflight_missing. */
function lastFacts(app: App, session: Session): BoxFacts {
  const { basis } = standingOf(app.journal, session).preflight;
  const facts = basis && app.journal.view(basis.job, basis.attempt).facts;
  if (!facts) throw new AppError('preflight_missing', { box: session.name });
  return facts;
}

/**
 * What `provision` would do, in order, before anything is changed.
 * Errors: preflight_missing, preflight_blocked, keys_needed, layer_before, bundle_*, versions_unmet.
 */
export function planProvision(
  app: App,
  session: Session,
  profile: Profile,
  layers: readonly number[],
  bundleDir: string,
): Run {
  const facts = lastFacts(app, session);
  const now = standingOf(app.journal, session, profile);
  mustBeUnblocked(now, { user: session.user, profile: profile.id });
  if (!session.keys?.keyLoginProvenAt) throw new AppError('keys_needed');
  const [first = 0] = layers;
  if (!layerOpen(now, first)) throw new AppError('layer_before', { layer: first - 1, next: first });
  const bundle = new Bundle(bundleDir);
  bundle.requireFor({
    id: facts.distribution?.id ?? 'unknown',
    version: facts.distribution?.version ?? 'unknown',
  });
  bundle.requireSets(layers.map((layer) => `l${layer}`));
  // Of the layers that have versions to decide; what cannot work is refused before anything is changed.
  const { components, refusals } = resolveSoftware(profile.software ?? [], offeredBy(bundle), layers);
  if (refusals.length) throw new AppError('versions_unmet', { detail: refusals.join(' ') });
  const order = { session, profile, manifest: bundle.manifest, software: components };
  const plan = layers.flatMap((layer) => phases(layer, bundle, order));
  const software = components.map((c) => c.text);
  return { ...makeRun('provision', `Provision ${named(layers)}`, bundleDir, plan), software };
}

/**
 * The playbook runs that make a layer, each with what the box was given the last time by this laptop, else with what it would be
 * given now; none where its installation is no playbook.
 */
export function playsOf(app: App, layer: number, order: Order): PhasePlan[] {
  const done = app.journal
    .jobs(order.session.id)
    .findLast(({ kind, spec }) => kind === 'layer' && spec.params['layer'] === layer)?.spec.params;
  return install(layer, order)
    .filter(({ id, params }) => Array.isArray(params['tags']) && id !== 'l1-harden-port')
    .map(({ params: { playbook, tags, vars }, ...phase }) => ({
      ...phase,
      params: { layer, playbook, tags, vars: (phase.kind === 'layer' && done?.['vars']) || vars },
    }));
}

/** Those as comparisons, which change nothing. */
const comparisons = (app: App, layer: number, order: Order): PhasePlan[] =>
  playsOf(app, layer, order).map(({ id, title, params }) => ({
    id: `${id}-drift`,
    title: `Drift: ${title.replace(/^Install /, '')}`,
    kind: 'drift' as const,
    layer,
    suite: null,
    params,
  }));

/** What on the box no longer matches its layers: what they would change now, and what their health checks find. Errors: keys_needed. */
export function planDrift(app: App, session: Session, profile: Profile, layers: readonly number[]): Run {
  if (!session.keys?.keyLoginProvenAt) throw new AppError('keys_needed');
  const order = { session, profile, manifest: { files: [] }, software: [] };
  const plan = layers.flatMap((layer) => [...comparisons(app, layer, order), health(layer, order)]);
  return makeRun('drift', `Drift of ${named(layers)}`, null, plan);
}

/** The layers' health checks and nothing else: what a person asks who wonders whether a box is still as it was. Errors: keys_needed. */
export function planCheck(session: Session, profile: Profile, layers: readonly number[]): Run {
  if (!session.keys?.keyLoginProvenAt) throw new AppError('keys_needed');
  const plan = layers.map((layer) => health(layer, { session, profile }));
  return makeRun('check', `Check ${named(layers)}`, null, plan);
}
