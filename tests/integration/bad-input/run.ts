/** Runs a row through the real command line and holds what came of it against the row. */
import { expect, it } from 'vitest';
import { ERRORS } from '../../../preload/contract/errors.ts';
import type { CliRun, Ended, SecretsGiven } from '../cli.ts';
import type { Bench } from './bench.ts';
import { filesWith, lookAtBox, lookAtLaptop, type LaptopLook } from './looks.ts';
import { nameOf, type Row } from './row.ts';

/** What no sentence for a person may hold: gaps, other languages' nothing, and what only a programmer reads. */
const UNFIT = /\{|\(\w+ unknown\)|undefined|\bnull\b|\[object|NaN|Traceback|\bat \S+ \(|\.m?[jt]s:\d/;

interface Told {
  message: string;
  nextAction: string;
}

function sentenceOf({ last, stderr }: Ended, row: Row): Told {
  expect(last, stderr).toMatchObject({ type: 'error', code: row.code, exit: row.exit });
  const { message, nextAction } = last as unknown as Told;
  expect(message).toMatch(/^\S.{15,}[.)"\w]$/s);
  expect(nextAction).toMatch(/^[A-Z].{10,}\S$/s);
  expect(`${message}\n${nextAction}`).not.toMatch(UNFIT);
  if (row.says) expect(message).toMatch(row.says);
  return { message, nextAction };
}

/** Nothing that was recorded is gone or other than it was. */
function nothingLost(before: LaptopLook, after: LaptopLook): void {
  const ended = before.attempts.filter((line) => !/ (starting|running) \d+ \w*$/.test(line));
  expect(after.attempts).toEqual(expect.arrayContaining(ended));
  expect(after.sessions.map((s) => s.name)).toEqual(before.sessions.map((s) => s.name));
  expect(after.knownHosts).toBe(before.knownHosts);
}

async function noSecret(secrets: SecretsGiven, { laptop, name }: Bench, shown: string): Promise<void> {
  const values = Object.values(secrets).filter((v): v is string => typeof v === 'string' && v !== '');
  for (const value of values) expect(shown).not.toContain(value);
  expect(await filesWith(laptop.home, values)).toEqual([]);
  // The search does find what lies there.
  expect(await filesWith(laptop.home, [name])).not.toEqual([]);
}

async function typedByPerson(bench: Bench, row: Row, secrets: SecretsGiven, told: Told): Promise<void> {
  const { code, stdout, stderr } = await bench.type(row.command(bench), secrets);
  expect(code).toBe(row.exit);
  expect(stderr).toContain(`error: ${told.message}\n  → ${told.nextAction}\n`);
  expect(`${stdout}${stderr}`).not.toMatch(UNFIT);
  await noSecret(secrets, bench, `${stdout}${stderr}`);
}

async function runRow(bench: Bench, row: Row, said: Map<string, string>): Promise<void> {
  const { laptop, box } = bench;
  const given = laptop.secrets;
  const secrets = { ...given, ...row.secrets };
  const undo = [await row.cause(bench)];
  let run: CliRun | undefined;
  let ended: Ended;
  try {
    const before = { box: await lookAtBox(box), laptop: await lookAtLaptop(laptop.home) };
    laptop.secrets = secrets;
    run = laptop.start(...row.command(bench));
    const later = await row.during?.(bench, run);
    if (later) undo.push(later);
    ended = await run.ended;
    const shown = `${JSON.stringify(ended.records)}${ended.stderr}`;
    expect(ended.code, JSON.stringify(ended.last)).toBe(row.exit);
    await noSecret(secrets, bench, shown);
    if (row.code === null) expect(ended.last.type, JSON.stringify(ended.last)).toBe('result');
    else {
      const told = sentenceOf(ended, row);
      said.set(nameOf(row), `${told.message}\n${told.nextAction}`);
      if (row.person) await typedByPerson(bench, row, secrets, told);
    }
    const after = await lookAtLaptop(laptop.home);
    nothingLost(before.laptop, after);
    if (row.unchanged.includes('session')) expect(after.sessions).toEqual(before.laptop.sessions);
    if (row.unchanged.includes('jobs')) expect(after.attempts).toEqual(before.laptop.attempts);
    if (row.unchanged.includes('box')) expect(await lookAtBox(box)).toEqual(before.box);
  } finally {
    laptop.secrets = given;
    await run?.kill('SIGKILL'); // where the row broke off; else it has ended
    for (const each of undo) await each();
  }
  const again = await laptop.run(...(row.again ?? row.command)(bench));
  expect(again.last.type, JSON.stringify(again.last)).toBe('result');
  expect(row.then).toContain(again.code);
  await row.after?.(bench, ended, again);
  expect((await laptop.run('verify', '--box', bench.name)).code).toBe(0);
}

/** A test for each row, in order, and at the end one that no two of their sentences are the same. */
export function testRows(rows: readonly Row[], bench: () => Bench): void {
  const said = new Map<string, string>();
  it.each(rows.map((row) => [nameOf(row), row] as const))('%s', (_name, row) => runRow(bench(), row, said));

  it('each has a sentence and a next action of its own', () => {
    expect([...said.keys()]).toEqual(rows.filter((r) => r.code !== null).map(nameOf));
    for (const told of said.values()) expect([...said.values()].filter((t) => t === told)).toHaveLength(1);
    for (const row of rows) if (row.code !== null) expect(row.exit).toBe(ERRORS[row.code].exit);
  });
}
