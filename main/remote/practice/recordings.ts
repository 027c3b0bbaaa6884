/**
 * What real runs left, as the practice box replays it (resources/practice): a gzip file an attempt, its first line the spec,
 * the others the box's own event log. So each line's `prev` is the hash of the line before, and an edited one shows.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { Envelope } from '../../../preload/contract/events.ts';
import { JobSpec } from '../../../preload/contract/job.ts';
import { PRACTICE_SOAK_SECONDS } from '../../../preload/contract/supply.ts';

export const LOG_SUFFIX = '.jsonl.gz';
export const OFFERED_FILE = 'offered.json';
/** The profile by which the recorded checks judged. */
export const PRACTICE_PROFILE = 'practice';
/** Folder of what was recorded on real cards; the rest is of the rig, whose cards put nothing under load. */
const ON_CARDS = 'h200';

/** Faults that were recorded, as a person chooses one. */
const FAULT_TITLES: Readonly<Record<string, string>> = {
  'gpu-lost': 'The second GPU fell off the bus while running',
  'gpu-missing': 'The second GPU was not found at start-up',
};

export interface Fault {
  id: string;
  title: string;
}

export interface Recording {
  spec: JobSpec;
  events: readonly Envelope[];
}

const Params = z.looseObject({
  sets: z.array(z.string()).optional(),
  suite: z.string().optional(),
  layer: z.number().optional(),
  expect: z.looseObject({ adminUid: z.number().nullable() }).nullish(),
  checks: z.array(z.string()).default([]),
  profile: z.looseObject({ id: z.string() }).optional(),
  count: z.number().optional(),
  rate: z.number().optional(),
  /** Of a soak. */
  seconds: z.number().optional(),
  powerLimit: z.unknown().optional(),
});

/**
 * Which recording answers an order: its kind and what it is about. An order that would have gone otherwise than a recorded one,
 * by another profile for one, has a key that none has.
 */
export function keyOf({ kind, params }: Pick<JobSpec, 'kind' | 'params'>): string {
  const { sets, suite, layer, expect, checks, profile, count, rate, ...load } = Params.parse(params);
  if (kind === 'fetch') return `fetch-${sets?.join('-') ?? 'nothing'}`;
  if (kind === 'layer' || kind === 'harden') return `${kind}-l${layer ?? 'none'}`;
  if (kind === 'selftest') return `selftest-${count}-${rate}`;
  if (kind !== 'checks') return kind;
  const single = checks.length ? `-${checks.join('-')}` : '';
  const uid = layer === 1 && expect?.adminUid === 1000 ? '-uid1000' : '';
  const by = profile && profile.id !== PRACTICE_PROFILE ? `-by-${profile.id}` : '';
  const { seconds = PRACTICE_SOAK_SECONDS, powerLimit } = load;
  const long = seconds === PRACTICE_SOAK_SECONDS ? '' : `-${seconds}s`;
  return `checks-${suite ?? 'none'}${single}${uid}${by}${long}${powerLimit ? '-held' : ''}`;
}

const Versions = z.record(z.string(), z.array(z.string()));
/** Versions of the profile's software that the recorded bundle had, by name: Debian packages and wheels. */
const OfferedThen = z.strictObject({ apt: Versions, wheel: Versions });
export type OfferedThen = z.infer<typeof OfferedThen>;

/** The faults that were recorded, each of which a practice box can be made with. */
export function recordedFaults(root: string): Fault[] {
  const found = readdirSync(join(root, 'faults'));
  return found.sort().map((id) => ({ id, title: FAULT_TITLES[id] ?? id }));
}

export class Recordings {
  readonly #dirs: readonly string[];

  /** With a fault, what was recorded with it comes before what was recorded without. */
  constructor(root: string, fault: string | null) {
    const whole = [root, join(root, ON_CARDS)];
    this.#dirs = fault === null ? whole : [join(root, 'faults', fault), ...whole];
  }

  /** Bytes of a file of the newest layer that has it; null when none has. */
  #bytes(name: string): Buffer | null {
    const dir = this.#dirs.find((d) => existsSync(join(d, name)));
    return dir === undefined ? null : readFileSync(join(dir, name));
  }

  offered(): OfferedThen {
    const bytes = this.#bytes(OFFERED_FILE);
    if (!bytes) throw new Error('what the recorded bundle offered is missing');
    return OfferedThen.parse(JSON.parse(bytes.toString('utf8')));
  }

  /** `stage`: before or after the layers were there; `as`: who gathered. */
  facts(stage: 'fresh' | 'provisioned', as: 'user' | 'root'): Record<string, unknown> {
    const bytes = this.#bytes(`facts-${stage}-${as}.json`);
    if (!bytes) throw new Error(`no facts were recorded: ${stage}, ${as}`);
    return z.record(z.string(), z.unknown()).parse(JSON.parse(bytes.toString('utf8')));
  }

  /**
   * The run that answers these orders, null when none was recorded. `again`: the box did this before, so a second run is
   * meant, which changes nothing; where a second one was not recorded, it is like the first.
   */
  log(order: Pick<JobSpec, 'kind' | 'params'>, again: boolean): Recording | null {
    const key = keyOf(order);
    const found = (again ? this.#bytes(`${key}-again${LOG_SUFFIX}`) : null) ?? this.#bytes(key + LOG_SUFFIX);
    if (!found) return null;
    const [first = '', ...lines] = gunzipSync(found).toString('utf8').trimEnd().split('\n');
    return {
      spec: JobSpec.parse(JSON.parse(first)),
      events: lines.map((line) => Envelope.parse(JSON.parse(line))),
    };
  }
}
