/** Reports side by side, and one box among all earlier ones of its profile. Pure; the reports are read by whoever calls. */
import type { Verdict } from '../../preload/contract/outcome.ts';
import type { Report } from '../../preload/contract/report.ts';

type Value = string | number | boolean | null;

interface Measured {
  key: string;
  title: string;
  unit: string | null;
  value: Value;
  /** Null for telemetry, which nothing judges by itself. */
  verdict: Verdict | null;
}

/** Highest and mean over all GPUs, by field: what two runs of one suite can be held against each other by. */
function telemetry(report: Report): Measured[] {
  // Of several attempts of a suite the newest stands.
  const newest = new Map(report.telemetry.map((t) => [`${t.title}/${t.source}`, t]));
  return [...newest.values()].flatMap(({ title, source, fields }) =>
    fields.flatMap(({ field, series }): Measured[] => {
      const count = series.reduce((n, s) => n + s.count, 0);
      const mean = series.reduce((sum, s) => sum + s.mean * s.count, 0) / count;
      const of = (what: string, value: number) => ({
        ...{ key: `telemetry/${title}/${source}/${field}/${what}`, title: `${title}: ${field}, ${what}` },
        ...{ unit: null, value: Number(value.toFixed(3)), verdict: null },
      });
      return [of('highest', Math.max(...series.map((s) => s.max))), of('mean', mean)];
    }),
  );
}

function measured(report: Report): Map<string, Measured> {
  const checks = report.parts.flatMap((part) =>
    part.checks.map(({ result: { id, title, unit, value, verdict } }): Measured => {
      return { key: `${part.id}/${id}`, title: `${part.title}: ${title}`, unit, value, verdict };
    }),
  );
  return new Map([...checks, ...telemetry(report)].map((m) => [m.key, m]));
}

export interface ComparedRow {
  key: string;
  title: string;
  unit: string | null;
  /** One a report, in their order; null where it has no such result. */
  cells: ({ value: Value; verdict: Verdict | null } | null)[];
  /** Whether they are not all the same. */
  differs: boolean;
}

/** Every result that one of them has, in the order in which they come. */
export function sideBySide(reports: readonly Report[]): ComparedRow[] {
  const all = reports.map(measured);
  const keys = new Map(all.flatMap((m) => [...m.values()]).map((m) => [m.key, m]));
  return [...keys.values()].map(({ key, title, unit }) => {
    const cells = all.map((m) => m.get(key) ?? null).map((m) => m && { value: m.value, verdict: m.verdict });
    const [first, ...others] = cells.map((c) => JSON.stringify(c));
    return { key, title, unit, cells, differs: others.some((o) => o !== first) };
  });
}

export interface Placed {
  key: string;
  title: string;
  unit: string | null;
  value: number;
  /** Of the earlier ones that measured it. */
  count: number;
  low: number;
  median: number;
  high: number;
  /** How many times the usual spread it lies from the median; null where there are too few, or all of them are the same. */
  distance: number | null;
  outlier: boolean;
}

const median = (sorted: readonly number[]): number => {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
};

/** Fewer than these have no spread to speak of. */
export const ENOUGH = 5;
/** Iglewicz and Hoaglin's: a modified z-score above it is an outlier. */
const FAR = 3.5;
/** Makes the median deviation that of a normal spread. */
const NORMAL = 1.4826;

function place(of: Measured & { value: number }, earlier: readonly number[]): Placed {
  const { key, title, unit, value } = of;
  const sorted = earlier.toSorted((a, b) => a - b);
  const middle = median(sorted);
  const spread = NORMAL * median(sorted.map((v) => Math.abs(v - middle)).sort((a, b) => a - b));
  const enough = sorted.length >= ENOUGH;
  const distance = enough && spread > 0 ? Math.abs(value - middle) / spread : null;
  const alone = enough && spread === 0 && value !== middle;
  return {
    ...{ key, title, unit, value, count: sorted.length, median: middle, distance },
    ...{ low: sorted[0] ?? NaN, high: sorted.at(-1) ?? NaN },
    outlier: alone || (distance !== null && distance > FAR),
  };
}

/** What may stand beside it: another box of the same profile and of the same kind of evidence, recorded before it. */
export function earlierOnes(one: Report, all: readonly Report[]): Report[] {
  const newest = new Map<string, Report>();
  const before = all
    .filter((r) => r.box.session !== one.box.session && r.made.utc < one.made.utc)
    .filter((r) => r.profile?.document.id === one.profile?.document.id && r.evidence === one.evidence)
    .sort((a, b) => (a.made.utc < b.made.utc ? -1 : 1));
  for (const report of before) newest.set(report.box.session, report);
  return [...newest.values()];
}

/** Every number of the box with where those of the earlier ones lie; those that none of them measured are left out. */
export function amongEarlier(one: Report, earlier: readonly Report[]): Placed[] {
  const others = earlier.map(measured);
  return [...measured(one).values()].flatMap((m) => {
    const { value } = m;
    if (typeof value !== 'number') return [];
    const values = others.map((o) => o.get(m.key)?.value).filter((v) => typeof v === 'number');
    return values.length ? [place({ ...m, value }, values)] : [];
  });
}
