/** What is kept of real machines (docs/evidence): archives that are whole, and no false alarm on cards that are healthy. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readZip } from '../../../main/services/archive/zip.ts';
import { verifyArchive } from '../../../main/services/verify.ts';
import { parseReport, type Report } from '../../../preload/contract/report.ts';
import { verdictOf } from '../../../preload/contract/verification.ts';

const DIR = join(import.meta.dirname, '../../../docs/evidence');
const MACHINES = readdirSync(DIR).map((name) => {
  const zip = readdirSync(join(DIR, name)).find((file) => file.endsWith('.zip')) ?? '';
  return { name, readme: readFileSync(join(DIR, name, 'README.md'), 'utf8'), path: join(DIR, name, zip) };
});

function reportOf(path: string): Report {
  const text = readZip(readFileSync(path)).get('report.json')?.toString('utf8') ?? '';
  const { data } = parseReport(JSON.parse(text));
  if (!data) throw new Error(`${path}: no report`);
  return data;
}

/** Required checks of one kind of part that ran, and those of them that did not pass, as "id: verdict". */
function ran(report: Report, kind: 'suite' | 'preflight'): { count: number; alarms: string[] } {
  const all = report.parts
    .filter((part) => part.kind === kind)
    .flatMap((part) => part.checks)
    .filter((c) => c.expectation.kind === 'required')
    .map((c) => c.result)
    .filter((r) => r.verdict !== 'not_run' && r.verdict !== 'not_supported');
  return {
    count: all.length,
    alarms: all.filter((r) => r.verdict !== 'pass').map((r) => `${r.id}: ${r.verdict}`),
  };
}

describe.each(MACHINES)('$name', ({ name, readme, path }) => {
  const report = reportOf(path);

  it('is an archive as it was made there: whole, small, of a real machine, and of the cards of its name', () => {
    const found = verifyArchive(path, { trusted: [], version: 'test' });
    expect(found.problems).toEqual([]);
    expect(verdictOf(found)).toBe('unsigned');
    expect(statSync(path).size).toBeLessThan(1_000_000);
    expect(readme).toContain(path.replace(/^.*[\\/]/, ''));
    expect(report.evidence).toBe('real');
    const cards = { one: 1, two: 2, four: 4 }[/-(one|two|four)-h200$/.exec(name)?.[1] ?? ''];
    expect(report.box.identity?.gpuUuids).toHaveLength(cards ?? Number.NaN);
  });

  it('has no false alarm: every required check of a suite that ran on these cards passed', () => {
    const { count, alarms } = ran(report, 'suite');
    expect(alarms).toEqual([]);
    expect(count).toBeGreaterThan(30);
    // What preflight found is so: there is no systemd, and the image's own user has UID 1000.
    expect(ran(report, 'preflight').alarms).toEqual(['pf_uid1000: warn', 'pf_systemd: fail']);
  });
});

it('is counted in docs/validation.md as the archives have it', () => {
  const text = readFileSync(join(DIR, '../validation.md'), 'utf8');
  const cells = ['four', 'two', 'one'].map((cards) => {
    const machine = MACHINES.find(({ name }) => name.endsWith(`${cards}-h200`));
    const { count, alarms } = ran(reportOf(machine?.path ?? ''), 'suite');
    return `${count}; ${alarms.length}`;
  });
  expect(text).toContain(`| required checks that ran; false alarms | ${cells.join(' | ')} |`);
});

describe('four cards', () => {
  const four = MACHINES.find(({ name }) => name.endsWith('four-h200'));
  if (!four) throw new Error('the evidence of four cards is gone');
  const report = reportOf(four.path);

  it('are told of with the numbers that the archive has', () => {
    const { count } = ran(report, 'suite');
    expect(four.readme).toContain(`${count} required checks of suites ran on these healthy cards`);
    expect(four.readme).toContain(`all ${count} passed: 0 false alarms`);
    const values = report.parts
      .flatMap((part) => part.checks)
      .filter((c) => ['t2_images', 't2_efficiency', 't2_allreduce', 't6_allreduce'].includes(c.result.id))
      .map((c) => Number(c.result.value));
    expect(values).toHaveLength(4);
    for (const value of values) expect(four.readme).toContain(value.toLocaleString('en-US'));
  });

  it('train in T2 as fast as in the plainest loop on the same machine', () => {
    const images = report.parts.flatMap((p) => p.checks).find((c) => c.result.id === 't2_images');
    const plain = /([\d,]+\.\d) images\/s\. T2 has ([\d.]+) of that/.exec(four.readme);
    const ratio = Number(images?.result.value) / Number(plain?.[1]?.replaceAll(',', ''));
    expect(ratio.toFixed(3)).toBe(plain?.[2]);
    expect(ratio).toBeGreaterThanOrEqual(0.97);
  });
});
