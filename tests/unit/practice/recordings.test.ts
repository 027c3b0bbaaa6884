/** The recordings are whole, as the boxes wrote them, and of the checks and the profile that the product has now. */
import { readFileSync, readdirSync, statSync, mkdtempSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { administer } from '../../../main/remote/practice/admin.ts';
import { Disk } from '../../../main/remote/practice/disk.ts';
import { keyOf, LOG_SUFFIX, recordedFaults, Recordings } from '../../../main/remote/practice/recordings.ts';
import { loadProfile } from '../../../main/services/profiles.ts';
import { BoxFacts } from '../../../preload/contract/facts.ts';
import { parseEvent } from '../../../preload/contract/events.ts';
import { JobSpec } from '../../../preload/contract/job.ts';
import { expectationOf, Profile } from '../../../preload/contract/profile.ts';
import { PRACTISED } from '../../../preload/contract/suites.ts';
import { PRACTICE_SOAK_SECONDS } from '../../../preload/contract/supply.ts';

const ROOT = join(import.meta.dirname, '../../..');
const DIR = join(ROOT, 'resources/practice');
const files = readdirSync(DIR, { recursive: true, encoding: 'utf8' }).map((name) =>
  name.replaceAll('\\', '/'),
);
const logs = files.filter((name) => name.endsWith(LOG_SUFFIX));
const linesOf = (name: string) =>
  gunzipSync(readFileSync(join(DIR, name)))
    .toString('utf8')
    .trimEnd()
    .split('\n');

const pick = <T>(of: Record<string, T>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(of).filter(([name]) => names.includes(name)));

/** Without the words of where each number is from. */
const unsourced = (of: unknown): unknown =>
  JSON.parse(
    JSON.stringify(of, (key, value: unknown) => (key === 'source' || key === 'sources' ? undefined : value)),
  );

/** Ids of a list of checks in resources/box/vcbox/checks/__init__.py. */
function checkIds(list: string): string[] {
  const source = readFileSync(join(ROOT, 'resources/box/vcbox/checks/__init__.py'), 'utf8');
  const text = new RegExp(`${list}: \\[([^\\]]*)\\]`).exec(source)?.[1] ?? '';
  return [...text.matchAll(/"([a-z0-9_]+)"/g)].map((m) => m[1] ?? '');
}

describe('recordings of the practice box', () => {
  it('answer each step of the road, and are small', () => {
    const base = ['fetch-l0', 'bootstrap', 'checks-l0', 'fetch-l1', 'layer-l1', 'harden-l1', 'checks-l1'];
    const above = [2, 3, 4, 5].flatMap((layer) =>
      ['fetch', 'layer', 'checks'].map((kind) => `${kind}-l${layer}`),
    );
    // Models are a set of their own, which layer 5 fetches, too.
    above[above.indexOf('fetch-l5')] = 'fetch-l5-models';
    const road = [...base, ...above];
    const wanted = [
      ...road,
      ...road.map((key) => `${key}-again`),
      'checks-l1-uid1000',
      'uid_swap',
      'selftest-200-50',
    ];
    const faults = recordedFaults(DIR).map(({ id }) => `faults/${id}/checks-gpu-detection`);
    expect(faults.length).toBeGreaterThan(0);
    const onCards = PRACTISED.filter((id) => id !== 'gpu-detection').map((id) => `h200/checks-${id}`);
    expect(onCards).toHaveLength(3);
    const all = [...wanted, 'checks-gpu-detection', ...faults, ...onCards].map((key) => key + LOG_SUFFIX);
    expect(logs.toSorted()).toEqual(all.toSorted());
    const bytes = files.map((name) => statSync(join(DIR, name)).size);
    expect(bytes.reduce((a, b) => a + b)).toBeLessThan(2_000_000);
  });

  it.each(logs)('%s is as a box wrote it: every line is chained to the one before', (name) => {
    const lines = linesOf(name);
    const spec = JobSpec.parse(JSON.parse(lines[0] ?? ''));
    const real = name.startsWith('h200/');
    // The machine with real cards had a profile of its own: what it ran answers orders with the practice box's.
    const params = real ? { ...spec.params, profile: { id: 'practice' } } : spec.params;
    expect(name.replace(/^.*\//, '').replace('-again', '')).toBe(
      keyOf({ kind: spec.kind, params }) + LOG_SUFFIX,
    );
    const evidence = real ? 'real' : 'stand-in';
    lines.slice(1).forEach((line, i) => {
      const { env, known } = parseEvent(line);
      expect(known).toBe(true);
      expect(env).toMatchObject({ job: spec.job, attempt: spec.attempt, seq: i + 1, evidence });
      expect(env.prev).toBe(
        createHash('sha256')
          .update(lines[i] ?? '')
          .digest('hex'),
      );
    });
    expect(parseEvent(lines.at(-1) ?? '')).toMatchObject({ kind: 'finished', body: { outcome: 'passed' } });
  });

  it.each(logs.filter((name) => name.includes('checks-')))(
    '%s ran the checks that there are, by the profile that there is',
    (name) => {
      const [first = '', ...lines] = linesOf(name);
      const { params } = JobSpec.parse(JSON.parse(first));
      const { layer, suite } = params as { layer?: number; suite: string };
      const ran = lines
        .map((line) => parseEvent(line))
        .flatMap((e) => (e.known && e.kind === 'check' ? [e.body.check.id] : []));
      expect(ran).toEqual(checkIds(layer === undefined ? `"${suite}"` : String(layer)));
      // What the profile says since of checks that were not run then changes nothing here.
      const onCards = name.startsWith('h200/');
      const about = (profile: Profile) => ({
        ...profile,
        expectations: pick(profile.expectations, ran),
        standInExpectations: pick(profile.standInExpectations, ran),
        // Named by hand there, and PyTorch from elsewhere: what was run with and what had to come of it are the same.
        ...(onCards
          ? {
              id: '',
              title: '',
              gpu: null,
              distributions: [],
              load: { ...profile.load, python: {} },
            }
          : {}),
      });
      const [then, now] = [Profile.parse(params['profile']), loadProfile('practice').profile].map(about);
      expect(onCards ? unsourced(then) : then).toEqual(onCards ? unsourced(now) : now);
    },
  );

  it('of real cards are whole: the watched window of each suite, and the soak that can be ordered', () => {
    const recordings = new Recordings(DIR, null);
    const of = (suite: string, more = {}) =>
      recordings.log({ kind: 'checks', params: { suite, ...more } }, false)?.events ?? [];
    for (const suite of PRACTISED.filter((id) => id !== 'gpu-detection')) {
      expect(of(suite).filter((e) => e.kind === 'samples').length).toBeGreaterThan(40);
      expect(of(suite).some((e) => e.kind === 'check' && e.evidence === 'real')).toBe(true);
    }
    expect(of('stress', { seconds: PRACTICE_SOAK_SECONDS })).not.toEqual([]);
    // Nobody is shown a day that was ten minutes, nor cards held to less that were not.
    expect(of('stress', { seconds: 86_400 })).toEqual([]);
    expect(of('pytorch-ddp', { powerLimit: { watts: 450, full: 700 } })).toEqual([]);
    expect(of('vllm')).toEqual([]);
  });

  it('is one machine: its profile, its rig and its real cards have the same four', () => {
    const { gpu, load } = loadProfile('practice').profile;
    const count = gpu.count.value;
    const cards = Array.from({ length: count }, (_, n) => n);
    expect([count, gpu.name.value, load?.watts.value]).toEqual([4, 'NVIDIA H200', count * 700]);
    const recordings = new Recordings(DIR, null);
    for (const suite of PRACTISED) {
      const run = recordings.log({ kind: 'checks', params: { suite } }, false);
      const theirs = Profile.parse(run?.spec.params['profile']).gpu;
      for (const name of [
        'count',
        'name',
        'pciDevice',
        'memoryMiB',
        'powerLimitW',
        'computeCapability',
      ] as const)
        expect(theirs[name]?.value).toEqual(gpu[name]?.value);
      const rows = (run?.events ?? [])
        .filter((e) => e.kind === 'samples')
        .flatMap((e) => e['rows'] as number[][]);
      expect([...new Set(rows.map((row) => row[1]))].toSorted()).toEqual(cards);
    }
  });

  it('differs from the machine type of its rules in its cards alone', () => {
    const ofMachine = (p: Profile) =>
      unsourced({ ...p, id: '', title: '', distributions: [], gpu: null, load: { ...p.load, watts: null } });
    expect(ofMachine(loadProfile('practice').profile)).toEqual(ofMachine(loadProfile('two-h100').profile));
  });

  it.each(['fresh', 'provisioned'] as const)('facts of the %s box are what the gatherer prints', (stage) => {
    const recordings = new Recordings(DIR, null);
    expect(BoxFacts.parse(recordings.facts(stage, 'user')).root).toBe(false);
    expect(BoxFacts.parse(recordings.facts(stage, 'root')).root).toBe(true);
  });

  it('of a fault come before those without, and show a failed check with what to do', () => {
    for (const { id, title } of recordedFaults(DIR)) {
      expect(title).not.toBe(id);
      const order = { kind: 'checks' as const, params: { suite: 'gpu-detection' } };
      const verdicts = (fault: string | null) =>
        (new Recordings(DIR, fault).log(order, false)?.events ?? [])
          .map((e) => parseEvent(JSON.stringify(e)))
          .flatMap((e) => (e.known && e.kind === 'check' ? [e.body.check] : []));
      const failed = verdicts(id).filter((c) => c.verdict === 'fail');
      expect(failed.map((c) => c.id)).toContain('gpu_count');
      expect(failed.every((c) => (c.nextAction ?? '') !== '')).toBe(true);
      // What a practice box cannot have is told of, and counts for nothing.
      const { profile } = loadProfile('practice');
      const counted = verdicts(null).filter(
        (c) => expectationOf(profile, c.id, 'stand-in').kind !== 'informative',
      );
      expect(counted.length).toBeGreaterThan(20);
      expect(counted.filter((c) => c.verdict !== 'pass')).toEqual([]);
      expect(new Recordings(DIR, id).log({ kind: 'bootstrap', params: {} }, false)).not.toBeNull();
    }
  });
});

describe('the administrator on a practice box', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vault-cube-practice-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const recorded = JSON.parse(readFileSync(join(DIR, 'admin.json'), 'utf8')) as Record<
    'before' | 'after',
    { keys: string[]; boxId: string }
  >;

  it('is answered as admin.py answered on a recorded box, before and after', () => {
    const disk = Disk.open(folder, { user: 'installer', password: 'first', fault: null });
    const look = JSON.stringify({ do: 'look', user: 'vaultadmin' });
    expect(administer(disk, look)).toEqual(recorded.before);
    const orders = {
      do: 'apply',
      user: 'vaultadmin',
      uid: null,
      groups: ['sudo', 'vaultcube'],
      password: 'new one',
    };
    const { keys, boxId } = recorded.after;
    const apply = JSON.stringify({ ...orders, keys, boxId });
    const changed = ['group vaultcube', 'user vaultadmin', 'groups sudo, vaultcube'];
    expect(administer(disk, apply)).toEqual({
      ...recorded.after,
      changed: [...changed, 'authorized_keys', 'password', 'box id'],
    });
    expect(administer(disk, look)).toEqual(recorded.after);
    expect(administer(disk, JSON.stringify({ ...orders, keys, boxId, password: null }))).toEqual(
      recorded.after,
    );
    expect(administer(disk, apply)).toMatchObject({ changed: ['password'] });
    // What a restart of the app finds.
    const again = Disk.open(folder, { user: 'other', password: 'other', fault: 'gpu-lost' });
    expect(again.isPassword('vaultadmin', 'new one')).toBe(true);
    expect(again.isPassword('vaultadmin', 'first')).toBe(false);
    expect(again.isPassword('installer', 'first')).toBe(true);
    expect(again.content.fault).toBeNull();
    expect(readFileSync(join(folder, 'disk.json'), 'utf8')).not.toContain('new one');
  });

  it('refuses a taken UID and orders that are none, and changes nothing', () => {
    const disk = Disk.open(join(folder, 'other'), { user: 'installer', password: 'first', fault: null });
    const before = JSON.stringify(disk.content);
    const orders = {
      do: 'apply',
      user: 'vaultadmin',
      uid: 1000,
      groups: [],
      keys: [],
      password: 'x',
      boxId: null,
    };
    expect(administer(disk, JSON.stringify(orders))).toEqual({
      ok: false,
      code: 'uid_taken',
      detail: 'installer',
    });
    const bad = { ...orders, uid: null, keys: ['no key'] };
    expect(administer(disk, JSON.stringify(bad))).toMatchObject({ ok: false, code: 'box_unreadable' });
    expect(JSON.stringify(disk.content)).toBe(before);
  });
});
