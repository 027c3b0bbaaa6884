/**
 * How a box stands: preflight, keys, each layer and suite, and the gates, computed from the session, the attempts in the
 * journal and the profile. Pure; the command line, the screen and the report all call it. What decides is decideOutcome:
 * a job that failed counts as an error there, and one that was cancelled, lost or never ran as not run.
 */
import type { JobKind } from './job.ts';
import type { Decision, Evidence, JudgedCheck, Outcome } from './outcome.ts';
import { decideBox, decideGate, decidePart, type Gate, type Part } from './parts.ts';
import { Profile } from './profile.ts';
import type { Session } from './session.ts';
import { ownFrameworks, type Framework } from './profile-load.ts';
import { SUITE_TITLES, WEEKLY_SUITE, inSuiteOrder, offeredTo } from './suites.ts';
import { loadFacts, type LoadFacts } from './supply.ts';
import {
  evidenceOf,
  gatherResults,
  inOrder,
  jobGap,
  missing,
  ran,
  recordOf,
  type Attempt,
  type Ordered,
} from './results.ts';

export type { Attempt, Part };

export interface Layer {
  layer: number;
  title: string;
  /** The kinds of job that install it. */
  kinds: readonly JobKind[];
  /** As the original specification has it, for comparison only; null where it names none. */
  nominalSeconds: number | null;
  /** Part of a box only where it was begun there. */
  optional?: true;
}

/** The layers this version has. */
export const LAYERS: readonly Layer[] = [
  { layer: 0, title: 'L0 Bootstrap', kinds: ['bootstrap'], nominalSeconds: null },
  { layer: 1, title: 'L1 Base system', kinds: ['layer', 'harden'], nominalSeconds: 180 },
  { layer: 2, title: 'L2 Driver stack', kinds: ['layer'], nominalSeconds: 240 },
  { layer: 3, title: 'L3 GPU runtime', kinds: ['layer'], nominalSeconds: 120 },
  { layer: 4, title: 'L4 AI frameworks', kinds: ['layer'], nominalSeconds: 360 },
  { layer: 5, title: 'L5 Validation and monitoring', kinds: ['layer'], nominalSeconds: 60 },
  {
    layer: 6,
    title: 'L6 Extended hardening',
    kinds: ['layer', 'harden'],
    nominalSeconds: null,
    optional: true,
  },
];
/** The first layer whose versions a profile decides. */
const FIRST_DECIDED = 2;

/** The layers of boxes with this profile, optional ones too: one that decides no versions, or none, has the base system alone. */
export function layersOf(profile: Profile | null): readonly Layer[] {
  return profile?.software ? LAYERS : LAYERS.filter(({ layer }) => layer < FIRST_DECIDED);
}

export interface Standing {
  preflight: Part;
  keys: Part;
  layers: Part[];
  /** Those that a gate names, that ran or that could, T1 first; unknown ones last. */
  suites: Part[];
  /** Empty without a profile. */
  gates: Gate[];
  /** The box as a whole: preflight, keys, layers, the suites of the ship gate and every other suite that ran. */
  outcome: Outcome;
  decision: Decision;
  /** What its profile says of load; null where that is nothing. */
  load: LoadFacts | null;
  /** When the weekly suite is due again, by its last run that came to its end; null before the first. */
  weeklyDueAt: string | null;
  /** Frameworks that boxes of the profile have from elsewhere than layer 4. */
  frameworks: Framework[];
  /** The weakest of all attempts; null where nothing was measured. */
  evidence: Evidence | null;
}

/** The newest profile that a job was started with; null when no job has one that this version can read. */
export function profileInJournal(attempts: readonly Attempt[]): Profile | null {
  for (const { row } of attempts.toReversed()) {
    const found = Profile.safeParse(row.spec.params['profile']);
    if (found.success) return found.data;
  }
  return null;
}

/** Which parts a deviation of the session concerns, by its id; it always concerns the box. */
const CONCERNS: Readonly<Record<string, readonly string[]>> = { uid: ['keys', 'l1'] };

function deviationsOf(session: Session, part: string | null): string[] {
  const all = session.deviations.filter(
    ({ id }) => part === null || id === part || id.startsWith(`${part}.`) || CONCERNS[id]?.includes(part),
  );
  const kept = session.keys?.uidDeviation;
  const uid = kept && (part === null || CONCERNS['uid']?.includes(part)) ? [kept] : [];
  return [...new Set([...all.map((d) => d.text), ...uid])];
}

interface Context {
  session: Session;
  profile: Profile | null;
  all: readonly Ordered[];
}

interface Draft extends Pick<Part, 'id' | 'kind' | 'title' | 'layer'> {
  /** All its jobs, in order. */
  jobs: readonly Ordered[];
  /** Those of them that run checks. */
  looks: readonly Ordered[];
  /** What its evidence rests on beside the checks. */
  also?: readonly Ordered[];
  /** Why results as old as attempt number `at` are out of date. */
  stale?: (at: number) => string | null;
  gaps?: (at: number | null) => JudgedCheck[];
}

function judge(ctx: Context, draft: Draft): Part {
  const { id, kind, title, layer, jobs, looks } = draft;
  const found = gatherResults(looks, ctx.session.waivers, ctx.profile, title);
  const since = found.used[0]?.at ?? null;
  const stale = since === null ? null : (draft.stale?.(since) ?? null);
  const rests = [...new Set([...found.used, ...(draft.also ?? [])])];
  const gaps = [...found.gaps, ...(draft.gaps?.(since) ?? []), ...rests.flatMap(recordOf)];
  if (stale) gaps.push(missing(title, stale));
  if (jobs.length === 0) gaps.push(missing(title));
  else if (looks.length === 0) gaps.push(missing('Health check'));
  else if (found.checks.length + gaps.length === 0) gaps.push(missing(title, 'its job ran no check'));
  const newest = jobs.at(-1);
  const basis = found.used[0];
  const given = {
    checks: found.checks,
    gaps,
    deviations: jobs.length ? deviationsOf(ctx.session, id) : [],
  };
  const decision = decidePart(given);
  return {
    id,
    kind,
    title,
    layer,
    state: !newest ? 'not_run' : newest.ended ? 'ended' : 'running',
    outcome: decision.outcome,
    decision,
    ...given,
    basis: basis ? { job: basis.row.job, attempt: basis.row.attempt } : null,
    evidence: evidenceOf(rests),
    stale,
    attempts: jobs.length,
  };
}

const WEEK_MS = 7 * 86_400_000;

/** A UID swap belongs to no layer: it changes what layer 1 and all after it found. */
const BEFORE_L1 = 0.5;

/** A flash puts another system on the box: nothing that was found before it is of this one. */
const BEFORE_ALL = -1;

/** The layer that a job changes; null for one that changes none. */
function changes({ row, view }: Ordered): number | null {
  // From the first byte on that it destroyed.
  if (row.kind === 'flash' || row.kind === 'flash_box')
    return view.steps.some((s) => s.id === 'wipe') ? BEFORE_ALL : null;
  if (row.kind === 'uid_swap') return BEFORE_L1;
  // A suite that runs the layers once more is to change nothing. What it changed all the same is of any of them.
  if (row.kind === 'checks' && (view.counts?.changed ?? 0) > 0) return BEFORE_L1;
  const named = row.spec.params['layer'];
  const of = LAYERS.find(({ kinds }) => kinds.includes(row.kind));
  return of ? (typeof named === 'number' ? named : of.layer) : null;
}

function fetches({ row }: Ordered, layer: number): boolean {
  if (row.kind !== 'fetch') return false;
  const { layer: named, sets } = row.spec.params;
  return named === layer || (Array.isArray(sets) && sets.includes(`l${layer}`));
}

/** The newest job after `at` that changed one of the layers below `below` (all without it), as a reason. */
function changedSince(ctx: Context, at: number, below = Infinity): string | null {
  const later = ctx.all.findLast((a) => a.at > at && ran(a) && (changes(a) ?? Infinity) < below);
  return later ? `it is older than "${later.row.title}", which changed the box` : null;
}

function judgeLayer(ctx: Context, layer: number, title: string, kinds: readonly JobKind[]): Part {
  const id = `l${layer}`;
  const installs = ctx.all.filter((a) => kinds.includes(a.row.kind) && changes(a) === layer);
  const looks = ctx.all.filter((a) => a.row.kind === 'checks' && a.row.spec.params['suite'] === id);
  const fetched = ctx.all.filter((a) => fetches(a, layer));
  const newest = (['fetch', ...kinds] as const)
    .map((kind) => [...fetched, ...installs].findLast((a) => a.row.kind === kind))
    .filter((a) => a !== undefined);
  return judge(ctx, {
    id,
    kind: 'layer',
    title,
    layer,
    jobs: [...fetched, ...installs, ...looks].sort((a, b) => a.at - b.at),
    looks,
    also: newest,
    stale: (at) => {
      const own = installs.findLast((a) => a.at > at && a.view.lastSeq > 0);
      return own ? `its health check is older than "${own.row.title}"` : changedSince(ctx, at, layer);
    },
    // A health check is the proof: how the jobs before it ended says less than it does. A later fetch changes nothing.
    gaps: (at) =>
      newest
        .filter((a) => at === null || (a.at > at && a.row.kind !== 'fetch'))
        .map((a) => jobGap(a, a.row.title))
        .filter((gap) => gap !== null),
  });
}

/** The two fresh logins that the session remembers. */
function keyProofs(session: Session): JudgedCheck[] {
  const proof = (id: string, title: string, at: string | null | undefined): JudgedCheck => ({
    id,
    title,
    verdict: at ? 'pass' : 'not_run',
    expectation: { kind: 'required' },
    reason: at ? null : 'it was not proven',
  });
  return [
    proof('key_login', 'A second login with the key alone', session.keys?.keyLoginProvenAt),
    proof('sudo_password', "sudo with vaultadmin's password", session.keys?.sudoProvenAt),
  ];
}

function judgeLocal(ctx: Context, kind: 'preflight' | 'keys', title: string): Part {
  const jobs = ctx.all.filter((a) => a.row.kind === kind);
  const gaps = () => (kind === 'keys' && jobs.length ? keyProofs(ctx.session) : []);
  const stale = (at: number) => changedSince(ctx, at, 0);
  return judge(ctx, { id: kind, kind, title, layer: null, jobs, looks: jobs, stale, gaps });
}

function suiteOf({ row }: Ordered): string | null {
  const suite = row.spec.params['suite'];
  return row.kind === 'checks' && typeof suite === 'string' && !/^l\d+$/.test(suite) ? suite : null;
}

function judgeSuite(ctx: Context, id: string): Part {
  const jobs = ctx.all.filter((a) => suiteOf(a) === id);
  const title = SUITE_TITLES[id] ?? id;
  return judge(ctx, {
    id,
    kind: 'suite',
    title,
    layer: null,
    jobs,
    looks: jobs,
    stale: (at) => changedSince(ctx, at),
  });
}

/** A week after the last run of the whole suite that came to its end, whatever its checks said. */
function weeklyDue({ all }: Context): string | null {
  const whole = ({ row }: Ordered) => {
    const { checks } = row.spec.params;
    return !Array.isArray(checks) || checks.length === 0;
  };
  const last = all.findLast((a) => suiteOf(a) === WEEKLY_SUITE && a.state === 'passed' && whole(a));
  return last ? new Date(Date.parse(last.row.createdAt) + WEEK_MS).toISOString() : null;
}

/** `attempts` in the journal's order, oldest first; `profile` is null where none is known. */
export function standing(session: Session, attempts: readonly Attempt[], profile: Profile | null): Standing {
  const ctx: Context = { session, profile, all: inOrder(attempts) };
  const preflight = judgeLocal(ctx, 'preflight', 'Preflight');
  const keys = judgeLocal(ctx, 'keys', 'Keys');
  const begun = new Set(ctx.all.map((a) => a.row.spec.params['layer']));
  const layers = layersOf(profile)
    .filter((l) => !l.optional || begun.has(l.layer))
    .map((l) => judgeLayer(ctx, l.layer, l.title, l.kinds));
  const ship = profile?.gates.ship ?? [];
  const production = profile?.gates.production ?? [];
  const seen = ctx.all.map(suiteOf).filter((s) => s !== null);
  // What could be run is listed where it was not, so that it is not forgotten; only what ran or ships counts.
  const offered = profile && !session.practice ? offeredTo(layersOf(profile).map((l) => l.layer)) : [];
  const named = new Set([...ship, ...production, ...seen, ...offered]);
  const suites = inSuiteOrder([...named]).map((id) => judgeSuite(ctx, id));
  const gate = (id: Gate['id'], named: string[]): Gate => {
    const decision = decideGate(named, suites);
    return { id, suites: named, outcome: decision.outcome, decision };
  };
  const decision = decideBox({
    parts: [preflight, keys, ...layers, ...suites],
    ship,
    profile: profile !== null,
    records: ctx.all.flatMap(recordOf),
    deviations: deviationsOf(session, null),
  });
  return {
    preflight,
    keys,
    layers,
    suites,
    gates: profile ? [gate('ship', ship), gate('production', production)] : [],
    outcome: decision.outcome,
    decision,
    load: loadFacts(profile, session.practice),
    weeklyDueAt: weeklyDue(ctx),
    frameworks: ownFrameworks(profile?.load),
    evidence: evidenceOf(ctx.all),
  };
}

/** Whether layer `layer` may be installed: every layer before it passed, with deviations or without. */
export function layerOpen({ layers }: Standing, layer: number): boolean {
  return layers
    .filter((l) => l.layer !== null && l.layer < layer)
    .every((l) => l.outcome === 'passed' || l.outcome === 'passed_with_deviations');
}
