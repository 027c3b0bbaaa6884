/** The report as an in-toto Statement v1 with a test-result predicate, for a machine that gates on such statements. */
import { createHash } from 'node:crypto';
import { OUTCOME_WORDS, type Outcome } from '../../../preload/contract/outcome.ts';
import type { Report } from '../../../preload/contract/report.ts';

/** in-toto knows three results. What is incomplete proves nothing, so it is none of the better two. */
const RESULTS: Record<Outcome, 'PASSED' | 'WARNED' | 'FAILED'> = {
  passed: 'PASSED',
  passed_with_deviations: 'WARNED',
  failed: 'FAILED',
  incomplete: 'FAILED',
};

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What the board or, where it tells none, the engineer calls the box. */
export const serialOf = ({ box }: Pick<Report, 'box'>): string => {
  const serial = box.identity?.boardSerial?.trim() ?? '';
  return serial === '' ? box.name : serial;
};

/** The newest image that was proven on its disk, and the box itself: the hash of what identifies it, as report.json has it. */
function subjects(report: Report): Record<string, unknown>[] {
  const { identity, session } = report.box;
  const box = {
    name: `urn:vault-cube:box:${encodeURIComponent(serialOf(report))}`,
    digest: { sha256: sha256(JSON.stringify(identity ?? { session })) },
  };
  const flashed = report.put.findLast((p) => p.diskHash !== null);
  if (!flashed?.diskHash) return [box];
  return [{ name: flashed.title, digest: { vaultCubeDiskHash: flashed.diskHash } }, box];
}

/** `reportSha256`: of report.json, which the statement speaks for. */
export function statement(report: Report, reportSha256: string): Record<string, unknown> {
  const all = report.parts.flatMap((p) => p.checks.map((c) => ({ ...c, name: `${p.id}/${c.result.id}` })));
  const of = (...verdicts: string[]) =>
    all.filter((c) => verdicts.includes(c.result.verdict)).map((c) => c.name);
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects(report),
    predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
    predicate: {
      result: RESULTS[report.outcome],
      configuration: [
        { name: 'report.json', digest: { sha256: reportSha256 } },
        ...(report.profile
          ? [{ name: `profile ${report.profile.document.id}`, digest: { sha256: report.profile.sha256 } }]
          : []),
      ],
      passedTests: of('pass'),
      warnedTests: of('warn'),
      failedTests: of('fail', 'error'),
      // Beyond the predicate's own fields, which know neither.
      notRunTests: of('not_run', 'not_supported'),
      outcome: OUTCOME_WORDS[report.outcome],
      evidence: report.evidence,
    },
  };
}
