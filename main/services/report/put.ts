/** What was put on the box, out of the orders of the jobs that did it: images, what of the bundle was brought (by the hash of its manifest), layers with versions. */
import type { ReportPut } from '../../../preload/contract/report.ts';
import type { ReadAttempt } from './attempt.ts';

const KINDS: ReadonlySet<string> = new Set(['flash', 'flash_box', 'fetch', 'bootstrap', 'layer', 'harden']);
/** A profile among the orders is told in a chapter of its own. */
const LONG = 400;

/** Texts, numbers and lists of them, each under its name; what is deeper has its names put together with dots. */
function named(name: string, value: unknown): { name: string; value: string }[] {
  if (value === null || value === undefined || value === '') return [];
  if (Array.isArray(value)) {
    const all = value as unknown[];
    if (all.length && all.every((v) => typeof v === 'string' || typeof v === 'number'))
      return [{ name, value: all.join(', ') }];
    return all.flatMap((v, i) => named(`${name}.${i}`, v));
  }
  if (typeof value === 'object') {
    if (JSON.stringify(value).length > LONG) return [];
    return Object.entries(value).flatMap(([key, v]) => named(name ? `${name}.${key}` : key, v));
  }
  return [{ name, value: typeof value === 'string' ? value : JSON.stringify(value) }];
}

const inner = (params: Record<string, unknown>): { name: string; value: string }[] =>
  Object.entries(params)
    .filter(([key]) => !['playbook', 'tags', 'title', 'confirmSeconds'].includes(key))
    .flatMap(([key, value]) => {
      // The variables of a role by their own names. Each is looked at by itself: only the long ones are left out.
      if (key !== 'vars' || typeof value !== 'object' || value === null) return named(key, value);
      return Object.entries(value).flatMap(([name, v]) => named(name, v));
    });

export function put({ row, view }: ReadAttempt): ReportPut[] {
  if (!KINDS.has(row.kind)) return [];
  const { job, attempt, kind, title, state, specSha256 } = row;
  const hash = view.checks.find((c) => c.id === 'flash_disk_hash')?.value;
  const diskHash = state === 'passed' && typeof hash === 'string' ? hash : null;
  return [{ job, attempt, kind, title, state, specSha256, values: inner(row.spec.params), diskHash }];
}
