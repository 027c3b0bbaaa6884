/** Provision: the layers as a run of jobs, each fetched, installed and looked at, or only looked at (spec W5, L0, L1). */
import { AppError } from '../../preload/contract/errors.ts';
import type { BoxFacts } from '../../preload/contract/facts.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { Run, Session } from '../../preload/contract/session.ts';
import { resolveSoftware } from '../../preload/contract/software.ts';
import { layerOpen, LAYERS } from '../../preload/contract/standing.ts';
import type { App } from './app.ts';
import { Bundle } from './bundle.ts';
import { blockedBy } from './blocked.ts';
import { ADMIN_USER } from './inspect.ts';
import { offeredBy } from './offered.ts';
import { isBlocker } from './preflight.ts';
import { makeRun, standingOf, type PhasePlan } from './runs.ts';

/** The series of ansible-core that L0 puts on the box; the bundle's wheels are of it. */
const ANSIBLE_SERIES = '2.19';
/** Seconds in which a new login has to confirm the hardening before the box takes it back. */
const CONFIRM_SECONDS = 120;
const IMAGES = '/var/lib/vault-cube/bundle/tree/images';
const SSH_PORT = 22;

const KNOWN = LAYERS.map((l) => l.layer);

/** "0,1" as layers in order. Errors: layer_unknown. */
export function parseLayers(text: string): number[] {
  const layers = text.split(',').map((word) => {
    const layer = /^\d+$/.test(word.trim()) ? Number(word.trim()) : NaN;
    if (!KNOWN.includes(layer))
      throw new AppError('layer_unknown', { layer: word.trim(), known: KNOWN.join(', ') });
    return layer;
  });
  return [...new Set(layers)].sort((a, b) => a - b);
}

/** What the checks are to find beside the profile. */
function expected(session: Session) {
  const uid = session.keys?.adminUid ?? 1000;
  return { adminUser: ADMIN_USER, adminUid: uid === 1000 ? 1000 : null, sshPort: SSH_PORT };
}

function health(layer: number, title: string, profile: Profile, session: Session): PhasePlan {
  const params = {
    layer,
    suite: `l${layer}`,
    checks: [],
    profile,
    telemetry: null,
    expect: expected(session),
  };
  return {
    id: `l${layer}-health`,
    title: `Health check of ${title}`,
    kind: 'checks',
    layer,
    suite: null,
    params,
  };
}

/** On another port at first, 22 is opened and proven before that port is closed (spec S2). */
function hardening(session: Session): PhasePlan[] {
  const { port } = session.address;
  const phase = (id: string, title: string, extra: number | null): PhasePlan => ({
    id,
    title,
    kind: 'harden',
    layer: 1,
    suite: null,
    params: {
      layer: 1,
      playbook: 'site.yml',
      tags: ['hardening'],
      vars: { access_hardening_admin_user: ADMIN_USER, access_hardening_extra_port: extra },
      confirmSeconds: CONFIRM_SECONDS,
    },
  });
  const last = phase('l1-harden', 'Access hardening', null);
  return port === SSH_PORT
    ? [last]
    : [phase('l1-harden-port', `Access hardening, port ${port} kept open`, port), last];
}

function install(layer: number, session: Session): PhasePlan[] {
  if (layer === 0) {
    const params = { layer, ansible: { series: ANSIBLE_SERIES } };
    return [
      { id: 'l0-install', title: 'Install L0 Bootstrap', kind: 'bootstrap', layer, suite: null, params },
    ];
  }
  const uid = expected(session).adminUid;
  const vars = {
    base_system_admin_user: ADMIN_USER,
    base_system_admin_uid: uid,
    base_system_image_archives_dir: IMAGES,
  };
  return [
    {
      id: 'l1-install',
      title: 'Install L1 Base system',
      kind: 'layer',
      layer,
      suite: null,
      params: { layer, playbook: 'site.yml', tags: ['l1'], vars },
    },
    ...hardening(session),
  ];
}

const titleOf = (layer: number) => LAYERS.find((l) => l.layer === layer)?.title ?? `L${layer}`;
const named = (layers: readonly number[]) => layers.map((l) => `L${l}`).join(', ');

function phases(layer: number, bundle: Bundle, profile: Profile, session: Session): PhasePlan[] {
  const title = titleOf(layer);
  const sets = [`l${layer}`];
  const fetch: PhasePlan = {
    id: `l${layer}-fetch`,
    title: `Fetch ${title}`,
    kind: 'fetch',
    layer,
    suite: null,
    params: { layer, manifestSha256: bundle.manifestSha256, sets, title },
  };
  return [fetch, ...install(layer, session), health(layer, title, profile, session)];
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
  const blockers = now.preflight.checks.map((c) => c.result).filter(isBlocker);
  if (blockers.length) throw blockedBy(blockers, { user: session.user, profile: profile.id });
  if (!session.keys?.keyLoginProvenAt) throw new AppError('keys_needed');
  const [first = 0] = layers;
  if (!layerOpen(now, first)) throw new AppError('layer_before', { layer: first - 1, next: first });
  const bundle = new Bundle(bundleDir);
  bundle.requireFor({
    id: facts.distribution?.id ?? 'unknown',
    version: facts.distribution?.version ?? 'unknown',
  });
  // Of the layers that have versions to decide; what cannot work is refused before anything is changed.
  const { refusals } = resolveSoftware(profile.software ?? [], offeredBy(bundle), layers);
  if (refusals.length) throw new AppError('versions_unmet', { detail: refusals.join(' ') });
  const plan = layers.flatMap((layer) => phases(layer, bundle, profile, session));
  return makeRun('provision', `Provision ${named(layers)}`, bundleDir, plan);
}

/** The installing phases of a layer as comparisons that change nothing; none where its installation is no playbook. */
function comparisons(layer: number, session: Session): PhasePlan[] {
  return install(layer, session)
    .filter(({ id, params }) => Array.isArray(params['tags']) && id !== 'l1-harden-port')
    .map(({ id, title, params: { playbook, tags, vars } }) => ({
      id: `${id}-drift`,
      title: `Drift: ${title.replace(/^Install /, '')}`,
      kind: 'drift' as const,
      layer,
      suite: null,
      params: { layer, playbook, tags, vars },
    }));
}

/** What on the box no longer matches its layers: what they would change now, and what their health checks find. Errors: keys_needed. */
export function planDrift(session: Session, profile: Profile, layers: readonly number[]): Run {
  if (!session.keys?.keyLoginProvenAt) throw new AppError('keys_needed');
  const plan = layers.flatMap((layer) => [
    ...comparisons(layer, session),
    health(layer, titleOf(layer), profile, session),
  ]);
  return makeRun('drift', `Drift of ${named(layers)}`, null, plan);
}

/** The layers' health checks and nothing else: what a person asks who wonders whether a box is still as it was. Errors: keys_needed. */
export function planCheck(session: Session, profile: Profile, layers: readonly number[]): Run {
  if (!session.keys?.keyLoginProvenAt) throw new AppError('keys_needed');
  const plan = layers.map((layer) => health(layer, titleOf(layer), profile, session));
  return makeRun('check', `Check ${named(layers)}`, null, plan);
}
