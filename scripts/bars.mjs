// What was promised beside what is measured: one line a bar, `bar: NAME: measured X, wanted Y: met|missed`.
import { cpus, loadavg } from 'node:os';
import { run } from './lib.mjs';

let missed = 0;

/** Timings are of this machine as it is now: its load is said first. */
export function begin() {
  console.log(`load average ${loadavg()[0].toFixed(1)} on ${cpus().length} cores`);
}

const shown = (value, digits, unit) => `${value.toFixed(digits)}${unit && ` ${unit}`}`;

const MET = {
  below: { says: '<', met: (value, limit) => value < limit },
  most: { says: 'at most', met: (value, limit) => value <= limit },
  least: { says: 'at least', met: (value, limit) => value >= limit },
};

/** `want`: `{below}`, `{most}` or `{least}`. `value` null: it could not be measured, for the reason in `why`. */
export function bar(name, value, want, unit, { digits = 0, why = 'it failed' } = {}) {
  const [[kind, limit]] = Object.entries(want);
  const { says, met: holds } = MET[kind];
  const met = value !== null && holds(value, limit);
  if (!met) missed += 1;
  const measured = value === null ? `nothing (${why})` : shown(value, digits, unit);
  const wanted = `${says} ${limit}`;
  console.log(
    `bar: ${name}: measured ${measured}, wanted ${wanted}${unit && ` ${unit}`}: ${met ? 'met' : 'missed'}`,
  );
}

/** Runs a measurement, whose last line is a JSON object. Null when it failed, with what it said shown. */
export async function measure(script, ...args) {
  const { code, output } = await run('npx', ['--no-install', 'tsx', script, ...args]);
  if (code === 0) return JSON.parse(output.trim().split('\n').at(-1));
  console.log(output.slice(-4000));
  return null;
}

/** Says how many were missed. Sets the exit code: 1 when one was. */
export function end() {
  console.log(missed ? `${missed} missed` : 'all met');
  process.exitCode = missed ? 1 : 0;
}
