/** How the report says things: outcomes, verdicts, times, durations, numbers with units. */
import type { Outcome, Verdict } from '../../../preload/contract/outcome.ts';
import type { JobState } from '../../../preload/contract/job.ts';

/** Icon, word and class; never colour alone. U+FE0E keeps a symbol from being drawn as a picture. */
export interface Sign {
  icon: string;
  word: string;
  style: 'good' | 'warn' | 'bad' | 'error' | 'none';
}

export const VERDICTS: Record<Verdict, Sign> = {
  pass: { icon: '✓', word: 'pass', style: 'good' },
  warn: { icon: '!', word: 'warn', style: 'warn' },
  fail: { icon: '✕', word: 'fail', style: 'bad' },
  error: { icon: '⚡\uFE0E', word: 'error', style: 'error' },
  not_run: { icon: '–', word: 'not run', style: 'none' },
  not_supported: { icon: '∅', word: 'not supported', style: 'none' },
};

export const OUTCOMES: Record<Outcome, Sign> = {
  passed: { icon: '✓', word: 'passed', style: 'good' },
  passed_with_deviations: { icon: '!', word: 'passed with deviations', style: 'warn' },
  failed: { icon: '✕', word: 'failed', style: 'bad' },
  incomplete: { icon: '–', word: 'incomplete', style: 'none' },
};

export const STATES: Record<JobState, Sign> = {
  starting: { icon: '▶\uFE0E', word: 'starting', style: 'none' },
  running: { icon: '▶\uFE0E', word: 'running', style: 'none' },
  passed: { icon: '✓', word: 'ran to its end', style: 'good' },
  failed: { icon: '✕', word: 'failed', style: 'bad' },
  cancelled: { icon: '–', word: 'cancelled', style: 'none' },
  lost: { icon: '✕', word: 'lost', style: 'bad' },
};

/** `2026-11-24 06:10:00 CET`. A text that is no time comes back as it is. */
export function localTime(iso: string, zone: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
  const part = Object.fromEntries(format.formatToParts(date).map((p) => [p.type, p.value]));
  const { year, month, day, hour, minute, second, timeZoneName } = part;
  return `${year}-${month}-${day} ${hour}:${minute}:${second} ${timeZoneName}`;
}

/** `0.3 s`, `42 s`, `2 min 51 s`, `24 h 03 min`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '–';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  const minutes = Math.round(s / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** Thousands apart, at most `digits` decimals. */
export function number(n: number, digits = 1): string {
  return new Intl.NumberFormat('en', { maximumFractionDigits: digits }).format(n);
}

/** A size in bytes as GiB; null stays null. */
export function gib(bytes: number | null | undefined): string | null {
  return typeof bytes === 'number' ? `${number(bytes / 2 ** 30)} GiB` : null;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${number(n, 0)} ${n === 1 ? one : many}`;
}
