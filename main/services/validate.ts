/** Validate: suites of checks as jobs on the box, with telemetry beside them where GPUs are watched (spec W6, T1 to T9). */
import { AppError } from '../../preload/contract/errors.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { Run, Session } from '../../preload/contract/session.ts';
import { layersOf, type Standing } from '../../preload/contract/standing.ts';
import { SUITES_HERE, SUITE_TITLES, suiteBlocked, suiteHere } from '../../preload/contract/suites.ts';
import {
  limitProblem,
  loadFacts,
  loadOf,
  loadSentence,
  supplyProblem,
  supplyWatts,
} from '../../preload/contract/supply.ts';
import type { App } from './app.ts';
import { REBOOT, expected } from './layers.ts';
import { playsOf } from './provision.ts';
import { makeRun, standingOf, type PhasePlan } from './runs.ts';

/**
 * What the laptop tries from outside: where the suite itself has a program listen and a container publish a port (below those that
 * the kernel gives to outgoing connections), and where services of such boxes usually listen.
 */
const OUTSIDE = {
  program: 28_017,
  container: 28_018,
  others: [80, 443, 2375, 2376, 3000, 5000, 8000, 8080, 8888, 9100, 11_434],
};
/** The role behind each tag of the playbook (ansible/site.yml). */
const ROLES: Readonly<Record<string, string>> = {
  l1: 'base_system',
  l2: 'driver_stack',
  l3: 'gpu_runtime',
  l4: 'ai_frameworks',
  l5: 'monitoring',
  l6: 'extended_hardening',
  hardening: 'access_hardening',
  forwarding: 'ssh_forwarding',
};
/** What comes after the reboot of T8; all else comes before it. */
const AFTER_REBOOT = ['t8_reboot', 't8_gpu_after_reboot'];

/** "gpu-detection,…" as suite ids. Errors: suite_unknown. */
export function parseSuites(text: string): string[] {
  const suites = text.split(',').map((s) => s.trim());
  for (const suite of suites) {
    if (!SUITES_HERE.includes(suite)) {
      throw new AppError('suite_unknown', { suite, known: SUITES_HERE.join(', ') });
    }
  }
  return [...new Set(suites)];
}

export interface TelemetryWanted {
  hz: number;
  /** How long the GPUs are watched after the last check. */
  watchSeconds: number;
}

/** What a person said of the suites that put the GPUs under load. */
export interface LoadWanted {
  /** The watts that were agreed to; null where nobody was asked. */
  agreedWatts: number | null;
  /** How long the soak of T7 lasts, instead of the profile's time. */
  soakSeconds: number | null;
  /** Watts that each card is held to meanwhile; null for full power. */
  powerLimitW?: number | null;
}

const NO_LOAD: LoadWanted = { agreedWatts: null, soakSeconds: null };
/** Suites whose checks cannot be run one by one: a reboot lies between them. */
const WHOLE_ONLY = ['integration'];

const titleOf = (suite: string) => SUITE_TITLES[suite] ?? suite;

/**
 * What is agreed to for a suite, as its job is told; nothing for one without load. Errors: load_unspecified, power_limit_unfit,
 * supply_unknown, supply_too_small, load_not_agreed.
 */
function consent(
  session: Session,
  profile: Profile,
  suite: string,
  { agreedWatts, soakSeconds, powerLimitW: limit = null }: LoadWanted,
) {
  if (!suiteHere(suite)?.load) return {};
  const facts = loadFacts(profile, session.practice);
  const load = loadOf(suite, facts, soakSeconds, limit);
  if (!facts || !load) throw new AppError('load_unspecified', { profile: profile.id, suite: titleOf(suite) });
  const why = limit === null ? null : limitProblem(facts, limit);
  if (limit !== null && why !== null) throw new AppError('power_limit_unfit', { limit, why });
  const { watts, seconds } = load;
  const { name: box, supply } = session;
  if (supplyProblem(facts, supply, limit)) {
    if (!supply) throw new AppError('supply_unknown', { box, watts });
    const { volts, amperes } = supply;
    throw new AppError('supply_too_small', { box, volts, amperes, carries: supplyWatts(supply), watts });
  }
  if (agreedWatts !== watts) {
    throw new AppError('load_not_agreed', { what: loadSentence(titleOf(suite), load, limit), watts });
  }
  const lasts = suite === 'stress' ? { seconds } : {};
  const given = {
    consent: { watts, seconds, at: new Date().toISOString() },
    ...(limit === null ? {} : { powerLimit: { watts: limit, full: facts.cardWatts } }),
  };
  return { ...given, ...lasts };
}

/** T1 to T7: what the machine is and what it does, with the GPUs watched. `more`: what the job is told besides. */
function looking(
  suite: string,
  profile: Profile,
  { hz, watchSeconds }: TelemetryWanted,
  checks: readonly string[],
  more: Record<string, unknown>,
): PhasePlan[] {
  const params = { suite, checks, profile, telemetry: { hz, seconds: watchSeconds }, ...more };
  return [{ id: suite, title: titleOf(suite), kind: 'checks', layer: null, suite, params }];
}

/** What T8 and T9 are told of the layers: which there may be, which there are, and what their roles were run with. */
function installed(app: App, session: Session, profile: Profile) {
  const passed = app.journal.jobs(session.id).filter((row) => row.state === 'passed');
  const ran = (kind: string, layer: number, tags: unknown) =>
    passed.some(
      ({ kind: k, spec: { params } }) =>
        k === kind && params['layer'] === layer && String(params['tags']) === String(tags),
    );
  const order = { session, profile, manifest: { files: [] }, software: [] };
  const plays = layersOf(profile)
    .flatMap(({ layer }) => playsOf(app, layer, order))
    .filter(({ kind, layer, params }) => layer !== null && ran(kind, layer, params['tags']));
  const roles = plays.map(({ layer, params: { playbook, tags, vars } }) => ({
    ...{ role: ROLES[String(tags)] ?? String(tags), layer, playbook, tags, vars },
  }));
  const there = [...new Set(plays.map(({ layer }) => layer))];
  const wanted = layersOf(profile).filter(({ layer, optional }) => !optional || there.includes(layer));
  return { layers: wanted.map(({ layer }) => layer), installed: [0, ...there], roles };
}

/** T9: every role compared, its services looked at. */
function roles(app: App, session: Session, profile: Profile, checks: readonly string[]): PhasePlan[] {
  const suite = 'roles';
  const params = {
    ...{ suite, checks, profile, telemetry: null, expect: expected(session) },
    ...installed(app, session, profile),
  };
  return [{ id: suite, title: titleOf(suite), kind: 'checks', layer: null, suite, params }];
}

/** T8: the ten, with a reboot between those before it and those after it. */
function integration(app: App, session: Session, profile: Profile): PhasePlan[] {
  const suite = 'integration';
  const title = titleOf(suite);
  const common = {
    ...{ suite, profile, telemetry: null, expect: expected(session) },
    ...installed(app, session, profile),
  };
  const phase = { layer: null, suite };
  const before = { ...common, checks: [], outside: OUTSIDE };
  // The roles are not needed any more: what they were run with is long.
  const after = { ...common, roles: [], checks: AFTER_REBOOT, after: true };
  const why = 'the suite tests what a reboot keeps';
  return [
    { id: suite, title, kind: 'checks', ...phase, params: before },
    {
      id: `${suite}-reboot`,
      title: `${title}: reboot`,
      kind: 'reboot',
      ...phase,
      params: { layer: null, suite, why, ...REBOOT },
    },
    { id: `${suite}-after`, title: `${title}, after the reboot`, kind: 'checks', ...phase, params: after },
  ];
}

/** The suites that a gate asks for, in its order. Errors: usage for a profile that names none. */
export function gateSuites(profile: Profile, gate: 'ship' | 'production'): string[] {
  if (profile.gates[gate].length === 0) {
    throw new AppError('usage', { what: `The profile ${profile.id} names no suite for the gate ${gate}.` });
  }
  return parseSuites(profile.gates[gate].join(','));
}

/** Which suite has these checks on the box, as it stands. Errors: usage where that is none, or more than one. */
export function suiteOfChecks({ suites }: Standing, checks: readonly string[]): string {
  const of = new Set(
    checks.map((id) => suites.find((p) => p.checks.some((c) => c.result.id === id))?.id ?? null),
  );
  const [suite] = of;
  if (of.size !== 1 || !suite) {
    const what = `${checks.join(', ')} are not checks of one suite that was run on this box.`;
    throw new AppError('usage', { what });
  }
  return suite;
}

/**
 * `telemetry` is of suites that watch the GPUs; `checks`: single ones of the one suite, run again; all of them where it is empty.
 * Errors: keys_needed, preflight_missing, suite_blocked, usage, and those of `consent`.
 */
export function planValidate(
  app: App,
  session: Session,
  profile: Profile,
  suites: readonly string[],
  telemetry: TelemetryWanted,
  load: LoadWanted = NO_LOAD,
  checks: readonly string[] = [],
): Run {
  const [only = ''] = suites;
  if (checks.length && (suites.length !== 1 || WHOLE_ONLY.includes(only))) {
    const what = `Single checks are of one suite that can be run in parts, not of ${suites.join(', ')}.`;
    throw new AppError('usage', { what });
  }
  if (!session.keys?.keyLoginProvenAt) throw new AppError('keys_needed');
  const now = standingOf(app.journal, session, profile);
  if (!now.preflight.basis) throw new AppError('preflight_missing', { box: session.name });
  for (const suite of suites) {
    const why = suiteBlocked(suite, now.layers, session.practice, now.frameworks);
    if (why) throw new AppError('suite_blocked', { suite: titleOf(suite), why });
  }
  // Integration is last: it ends with a reboot.
  const ordered = [...suites].sort((a, b) => Number(a === 'integration') - Number(b === 'integration'));
  const phases = ordered.flatMap((suite) => {
    if (suite === 'roles') return roles(app, session, profile, checks);
    if (suite === 'integration') return integration(app, session, profile);
    return looking(suite, profile, telemetry, checks, consent(session, profile, suite, load));
  });
  const what = [...suites, ...checks].join(', ');
  return makeRun('validate', checks.length ? `Run again ${what}` : `Validate ${what}`, null, phases);
}
