// `npm run faults -- --runs N [--fault NAME] [--seed S]`: the long matrix of faults on stand-in boxes and loop devices, each run with a seed of its
// own. What has run stands in .cache/faults/runs.json, so an interrupted matrix goes on where it was; the table of it is written
// into docs/reliability.md after each run.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CACHE, ROOT, has, must, run } from './lib.mjs';
import { setup } from './setup.mjs';

const FOLDER = join(CACHE, 'faults');
const STATE = join(FOLDER, 'runs.json');
const DOC = join(ROOT, 'docs', 'reliability.md');
/** What a run depends on; changed files there are named beside the commit. */
const SOURCES = ['main', 'preload', 'resources', 'ansible', 'tests/faults', 'tests/rig', 'tests/integration'];
const HEAD = '| commit | fault | seeds | passed | failed | counted | slowest | load |';

const tsx = (...args) => ['npx', ['--no-install', 'tsx', 'tests/faults/one.ts', ...args]];

function options(names) {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1' },
      fault: { type: 'string', multiple: true },
      seed: { type: 'string', default: '1' },
    },
  });
  const number = (name) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} wants a whole number from 1`);
    return value;
  };
  const unknown = (values.fault ?? []).find((name) => !names.includes(name));
  if (unknown) throw new Error(`no fault ${unknown}; known: ${names.join(', ')}`);
  return { runs: number('runs'), seed: number('seed'), faults: values.fault ?? names };
}

/** The commit, and whether the files that matter are those of it. */
async function commit() {
  if (!(await has('git'))) return 'unknown';
  const head = await run('git', ['rev-parse', '--short=12', 'HEAD']);
  if (head.code !== 0) return 'unknown';
  const changed = await must('git', ['status', '--porcelain', '--', ...SOURCES]);
  return head.output.trim() + (changed.trim() === '' ? '' : ' and changes');
}

const read = () => (existsSync(STATE) ? JSON.parse(readFileSync(STATE, 'utf8')) : []);

function write(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** "1–3, 7" of numbers. */
function ranges(numbers) {
  const parts = [];
  for (const n of [...numbers].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last && last[1] === n - 1) last[1] = n;
    else parts.push([n, n]);
  }
  return parts.map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`)).join(', ');
}

function row(id, fault, runs) {
  const passed = runs.filter((r) => r.ok);
  const sums = {};
  for (const { counts } of passed)
    for (const [name, n] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + n;
  const counted = Object.entries(sums).map(([name, n]) => `${n} ${name}`);
  const times = passed.map((r) => r.slowestMs).filter((ms) => ms !== null);
  const worst = times.length ? `${(Math.max(...times) / 1000).toFixed(2)} s` : '–';
  const loads = runs.map((r) => r.load);
  const load = `${Math.min(...loads).toFixed(1)}–${Math.max(...loads).toFixed(1)}`;
  const cells = [id, fault, ranges(runs.map((r) => r.seed)), passed.length, runs.length - passed.length];
  return `| ${[...cells, counted.join(', ') || '–', worst, load].join(' | ')} |`;
}

/** Rows and failures of this commit replace what the document says of it; those of other commits stay. */
function report(id, runs, names) {
  const text = readFileSync(DOC, 'utf8');
  const [begin, end] = ['<!-- runs -->', '<!-- end of runs -->'];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${DOC} has no place for the runs`);
  const old = text.slice(from + begin.length, to).split('\n');
  const others = (prefix, own) => old.filter((l) => l.startsWith(prefix) && !l.startsWith(own));
  const mine = runs.filter((r) => r.commit === id);
  const rows = names
    .map((name) => [name, mine.filter((r) => r.fault === name)])
    .filter(([, of]) => of.length > 0)
    .map(([name, of]) => row(id, name, of));
  const failures = mine
    .filter((r) => !r.ok)
    .map((r) => `- ${id}, ${r.fault}, seed ${r.seed}: ${r.error.replace(/\s+/g, ' ').slice(0, 300)}`);
  const known = others('| ', `| ${id} |`).filter((l) => l !== HEAD && !l.startsWith('| ---'));
  const said = [...others('- ', `- ${id},`), ...failures];
  const table = [HEAD, HEAD.replace(/[^|]+/g, ' --- '), ...known, ...rows];
  const block = ['', ...table, '', 'Failures:', '', ...(said.length ? said : ['- none']), ''];
  const kept = block.filter((l) => l !== '- none' || said.length === 0);
  write(DOC, text.slice(0, from + begin.length) + kept.join('\n') + text.slice(to));
}

async function once(id, fault, seed) {
  const load = loadavg()[0];
  const t0 = performance.now();
  const kept = join(FOLDER, `${fault}-${seed}-${id.slice(0, 12)}`);
  const { output } = await run(...tsx(fault, String(seed), kept));
  let answer;
  try {
    answer = JSON.parse(output.trim().split('\n').at(-1));
  } catch {
    answer = { ok: false, error: `it ended without an answer: ${output.slice(-1000)}` };
  }
  const seconds = Math.round((performance.now() - t0) / 1000);
  const at = new Date().toISOString();
  return { commit: id, fault, seed, at, seconds, load: Math.max(load, loadavg()[0]), ...answer };
}

process.chdir(ROOT);
await setup('test');
const names = JSON.parse(await must(...tsx('names')));
const { runs: wanted, seed: first, faults } = options(names);
const { buildCli } = await import('./build-cli.mjs');
await buildCli();
mkdirSync(FOLDER, { recursive: true });
const id = await commit();
let failed = 0;
for (let seed = first; seed < first + wanted; seed++) {
  for (const fault of faults) {
    const done = read().find((r) => r.commit === id && r.fault === fault && r.seed === seed);
    const result = done ?? (await once(id, fault, seed));
    if (!done) {
      write(STATE, `${JSON.stringify([...read(), result], null, 1)}\n`);
      report(id, read(), names);
    }
    if (!result.ok) failed += 1;
    const worst = result.slowestMs ? `, slowest ${Math.round(result.slowestMs)} ms` : '';
    const what = result.ok ? `passed${worst}` : `FAILED: ${result.error}`;
    console.log(`${fault} seed ${seed}: ${what} (${result.seconds} s${done ? ', before' : ''})`);
  }
}
console.log(failed ? `${failed} failed` : 'all passed');
process.exitCode = failed ? 1 : 0;
