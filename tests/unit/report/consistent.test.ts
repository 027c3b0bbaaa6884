import { beforeEach, describe, expect, it } from 'vitest';
import { Report } from '../../../preload/contract/report.ts';
import { checkResult } from '../contract/attempts.ts';
import { GPU_CHECKS, plans } from './box.ts';
import { NOW, openDesk } from './desk.ts';

const desk = openDesk();

/** A report with a failed check, a waived one, a lost job and a deviation. */
async function made(): Promise<Report> {
  const failed = checkResult('gpu_fan', 'fail', { title: 'Fans turn' });
  const waived = checkResult('gpu_ecc', 'fail', { title: 'ECC is on' });
  desk.fill(plans({ gpus: { checks: [...GPU_CHECKS, failed, waived], evidence: 'stand-in' } }), {
    waivers: [{ check: 'gpu_ecc', name: 'Kim', reason: 'no ECC on this card', at: NOW.toISOString() }],
    deviations: [{ id: 'site', text: 'no rack yet', at: NOW.toISOString() }],
  });
  return (await desk.make()).report;
}

function found<T>(what: T | undefined | null): T {
  if (what === undefined || what === null) throw new Error('the report of this test lacks it');
  return what;
}
const gpus = (r: Report) => found(r.parts.find((p) => p.id === 'gpu-detection'));
const check = (r: Report, id: string) => found(gpus(r).checks.find((c) => c.result.id === id));

describe('a report is decided again when it is read', () => {
  let report: Report;
  beforeEach(async () => {
    report = await made();
  });

  it('and holds as it was made', () => {
    expect(report.outcome).toBe('failed');
    expect(Report.safeParse(structuredClone(report)).success).toBe(true);
  });

  const changes: [what: string, change: (r: Report) => void, where: RegExp][] = [
    ['another outcome', (r) => (r.outcome = 'passed'), /^box\.outcome$/],
    ['a failure left out on page one', (r) => (r.decision.failures = []), /^box\.decision$/],
    ['a deviation left out', (r) => (r.deviations = []), /^box\.decision$/],
    ['a part that passed', (r) => (gpus(r).outcome = 'passed'), /^gpu-detection\.outcome$/],
    ['a gate that passed', (r) => (found(r.gates[0]).outcome = 'passed'), /^ship\.outcome$/],
    ['a gate without its suite', (r) => (found(r.gates[0]).suites = []), /^gates$/],
    ['a verdict turned', (r) => (check(r, 'gpu_fan').result.verdict = 'pass'), /^gpu-detection\.decision$/],
    ['a check left out', (r) => void gpus(r).checks.splice(7, 1), /^gpu-detection\.decision$/],
    [
      'a required check made informative',
      (r) => (check(r, 'gpu_fan').expectation = { kind: 'informative' }),
      /^gpu-detection\.gpu_fan\.expectation$/,
    ],
    [
      'a waiver that nobody gave',
      (r) => (check(r, 'gpu_fan').waiver = check(r, 'gpu_ecc').waiver),
      /^gpu-detection\.gpu_fan\.waiver$/,
    ],
    ['a waiver left out', (r) => (r.waivers = []), /^gpu-detection\.gpu_ecc\.waiver$/],
    ['a part left out', (r) => void r.parts.splice(4, 1), /^box\.decision$/],
    ['a broken record kept quiet', breakRecord, /^box\.decision$/],
    ['the job behind a result left out', (r) => void r.jobs.pop(), /^gpu-detection$/],
    ['a profile left out', (r) => (r.profile = null), /^gates$/],
  ];

  it.each(changes)('and refused with %s', (_, change, where) => {
    const changed = structuredClone(report);
    change(changed);
    const parsed = Report.safeParse(changed);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map((i) => i.path.join('.'))).toContainEqual(expect.stringMatching(where));
  });
});

/** As if the record had been found broken and only the decision had been made without that. */
function breakRecord(r: Report): void {
  found(r.jobs[0]).chain = { ok: false, line: 2, detail: 'line 2 is another' };
}
