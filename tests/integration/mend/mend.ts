/** Breaking a provisioned box by hand, and what the product's commands then say and do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, PYTHON, ROOT } from '../../rig/host.ts';
import { changedIn, kindIn, PASSED, type Record_ } from '../cli.ts';
import { NAME, type Provisioned } from '../provisioned.ts';

const LOOK = readFileSync(join(import.meta.dirname, 'snapshot.py'), 'utf8');

/** Check id and verdict of every check that did not pass. */
export type Findings = Record<string, string>;
/** What a box is: see snapshot.py. */
export type Snapshot = ReadonlyMap<string, string>;

/** One thing that a person did to a box. */
export interface Row {
  what: string;
  /** Run by sh, as root, on the box; ends with 0. */
  by: string;
  /** Every check that then does not pass: the one that is about it, and what cannot be right any more without it. */
  finds: Findings;
  /** What checks of further layers then say, where these are looked at, too. */
  across?: Findings;
  /**
   * Paths of the person's own that are there afterwards, too, without effect on what was broken: the product deletes nothing
   * that it did not make.
   */
  leaves?: readonly string[];
  /** The service it stops, restarts or replaces: no two such rows are done together. */
  of?: string;
  /** Not done together with any other: with another one the app's own login could be refused, or one would hide the other. */
  alone?: true;
}

export interface Mended {
  seconds: number;
  changed: string[];
  findings: Findings;
  code: number;
}

function findings(records: readonly Record_[]): Findings {
  const checks = kindIn(records, 'check').map((e) => e['check'] as Record<string, string>);
  const bad = checks.filter((c) => /^l[1-9]_/.test(String(c['id'])) && c['verdict'] !== 'pass');
  return Object.fromEntries(bad.map((c) => [String(c['id']), String(c['verdict'])]));
}

/** The layers whose checks find these rows, "2,3": what is compared and run once more. */
export function layersOf(rows: readonly Row[]): string {
  const digits = rows.flatMap((row) => Object.keys(row.finds).map((id) => id.charAt(1)));
  return [...new Set(digits)].sort().join(',');
}

export class Bench {
  readonly #p: Provisioned;

  constructor(provisioned: Provisioned) {
    this.#p = provisioned;
  }

  async breakIt(row: Row): Promise<void> {
    const done = await this.#p.box.sh(`set -e\n${row.by}`);
    if (done.code !== 0)
      throw new Error(`"${row.what}" ended with ${done.code}: ${done.stdout}${done.stderr}`);
  }

  async snapshot(): Promise<Snapshot> {
    const { code, stdout, stderr } = await this.#p.box.run(['python3', '-I', '-'], { input: LOOK });
    if (code !== 0) throw new Error(`the snapshot ended with ${code}: ${stderr}`);
    return new Map(
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]),
    );
  }

  /** `vault-cube check`: what does not pass. */
  async check(layers = '1'): Promise<Findings> {
    const ended = await this.#p.laptop.run('check', '--box', NAME, '--layers', layers);
    if (ended.last.type !== 'result')
      throw new Error(`check: ${JSON.stringify(ended.last)}\n${ended.stderr}`);
    return findings(ended.records);
  }

  /** `vault-cube drift`: what the layers would change, and what their health checks find, which are those of `check`. */
  async drift(layers = '1'): Promise<{ drift: string[]; findings: Findings; code: number }> {
    const args = ['--box', NAME, '--layers', layers];
    const { code, last, records, stderr } = await this.#p.laptop.run('drift', ...args);
    if (last.type !== 'result') throw new Error(`drift: ${JSON.stringify(last)}\n${stderr}`);
    const drift = last['drift'] as { task: string }[];
    return { drift: drift.map(({ task }) => task), findings: findings(records), code };
  }

  /** `vault-cube provision`: one more run, with the reboots that it asks for. */
  async provision(layers = '1'): Promise<Mended> {
    const t0 = performance.now();
    const args = ['--box', NAME, '--layers', layers, '--bundle', this.#p.box.bundle];
    const { code, last, records } = await this.#p.laptop.run('provision', ...args);
    const found = findings(records);
    return {
      seconds: (performance.now() - t0) / 1000,
      changed: changedIn(records),
      findings: last.type === 'result' ? found : { ...found, run: JSON.stringify(last) },
      code,
    };
  }
}

/** What is not as it was, in words; `leaves` are to differ, and only they. */
export function differences(before: Snapshot, after: Snapshot, leaves: readonly string[] = []): string[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const changed = keys.filter((key) => before.get(key) !== after.get(key));
  const unlike = changed.filter((key) => !leaves.includes(key)).sort();
  const gone = leaves.filter((key) => !changed.includes(key));
  return [
    ...unlike.map((key) => `${key}: ${before.get(key) ?? 'not there'} → ${after.get(key) ?? 'not there'}`),
    ...gone.map((key) => `${key}: was to be left`),
  ];
}

/** Of every rig box: a container has no kernel of its own, so none loads a module. */
export const ALWAYS: Findings = { l2_module_loaded: 'not_supported' };

function unlike(found: Findings, wanted: Findings): string[] {
  const ids = [...new Set([...Object.keys(found), ...Object.keys(wanted)])];
  return ids
    .filter((id) => found[id] !== (wanted[id] ?? ALWAYS[id]))
    .map((id) => `${id} is ${found[id] ?? 'pass'}, wanted ${wanted[id] ?? 'pass'}`);
}

/** Files that a row before this one has left otherwise: mending those once more may find nothing to change. */
const left = new Set<string>();

export interface Told {
  /** What is not as the rows say, in words. */
  wrong: string[];
  /** The tasks that drift names. */
  tasks: string[];
}

/** Breaks a box, looks what `vault-cube drift` says, provisions these layers once more, and looks what else changed. */
export async function mendRows(bench: Bench, rows: readonly Row[]): Promise<Told> {
  const layers = layersOf(rows);
  const before = await bench.snapshot();
  for (const row of rows) await bench.breakIt(row);
  const broken = await bench.snapshot();
  const { drift, findings, code } = await bench.drift(layers);
  const wanted: Findings = Object.assign(
    {},
    ...rows.map(({ across = {} }) =>
      Object.fromEntries(Object.entries(across).filter(([id]) => layers.includes(id.charAt(1)))),
    ),
    ...rows.map(({ finds }) => finds),
  );
  const wrong = unlike(findings, wanted).map((text) => `check: ${text}`);
  if (PASSED.includes(code)) wrong.push(`drift ended with ${code}`);
  wrong.push(...differences(broken, await bench.snapshot()).map((text) => `drift changed ${text}`));
  const mended = await bench.provision(layers);
  if (!PASSED.includes(mended.code))
    wrong.push(`provision ended with ${mended.code}: ${JSON.stringify(mended.findings).slice(0, 1000)}`);
  wrong.push(...unlike(mended.findings, {}).map((text) => `after: ${text}`));
  const leaves = rows.flatMap((row) => row.leaves ?? []);
  const may = leaves.filter((path) => left.has(path));
  const others = differences(before, await bench.snapshot(), leaves);
  for (const path of leaves) left.add(path);
  wrong.push(...others.filter((text) => !may.some((path) => text === `${path}: was to be left`)));
  return { wrong, tasks: drift };
}

/**
 * Rows that may be done together: in one round no two are about the same check or service, so that what a health check then says
 * is the sum of what it says after each. Each row is in the first round that it fits into.
 */
export function rounds(rows: readonly Row[]): Row[][] {
  const all: Row[][] = [];
  for (const row of rows) {
    const about = ({ finds, across }: Row) => Object.keys({ ...finds, ...across });
    const ids = about(row);
    const apart = (other: Row): boolean =>
      row.alone ||
      other.alone ||
      (row.of !== undefined && row.of === other.of) ||
      about(other).some((id) => ids.includes(id));
    const free = all.find((round) => !round.some(apart));
    if (free) free.push(row);
    else all.push([row]);
  }
  return all;
}

/** Each with what it is called, for a table of tests. */
export const named = (all: readonly (readonly Row[])[]) =>
  all.map((rows) => [rows.map(({ what }) => what).join('; '), rows] as const);

/** The ids of a layer's checks, from the code that runs on boxes. */
export async function layerChecks(layer = 1): Promise<string[]> {
  const script = `import json; from vcbox.checks import LAYER_CHECKS; print(json.dumps(LAYER_CHECKS[${layer}]))`;
  const listed = await must(PYTHON, ['-B', '-c', script], { cwd: join(ROOT, 'resources/box') });
  return JSON.parse(listed) as string[];
}
