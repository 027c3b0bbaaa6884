/** The checks as JUnit XML, for whatever draws test results: a suite a part, a case a check. */
import type { Report, ReportPart } from '../../../preload/contract/report.ts';

type Check = ReportPart['checks'][number];

/** XML 1.0 cannot hold control characters, not even escaped. */
// The linter's rule against control characters in patterns is met by naming those that may stay.
const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const xml = (text: string): string =>
  text
    .replace(UNWRITABLE, '\uFFFD')
    .replace(/[&<>"]/g, (c) => NAMED[c] ?? c)
    .replace(/[\n\t\r]/g, (c) => `&#${c.charCodeAt(0)};`);

const element = (name: string, attributes: Record<string, string | number>, inside = ''): string => {
  const all = Object.entries(attributes).map(([key, value]) => ` ${key}="${xml(String(value))}"`);
  return `<${name}${all.join('')}${inside ? `>${inside}</${name}>` : '/>'}`;
};

/** What JUnit knows: a waived fail passed there with a note, since it fails no gate here either. */
function result({ result: r, expectation, waiver }: Check): string {
  const why =
    r.reason ?? r.nextAction ?? `value ${String(r.value)}, wanted ${r.threshold ?? 'what it should be'}`;
  switch (r.verdict) {
    case 'pass':
      return '';
    case 'warn':
      return element('system-out', {}, xml(`warning: ${why}`));
    case 'fail':
      if (waiver) return element('system-out', {}, xml(`fail, waived by ${waiver.name}: ${waiver.reason}`));
      return expectation.kind === 'informative'
        ? element('system-out', {}, xml(`fail, informative: ${why}`))
        : element('failure', { message: why });
    case 'error':
      return element('error', { message: why });
    case 'not_run':
    case 'not_supported':
      return element('skipped', { message: `${r.verdict.replace('_', ' ')}: ${why}` });
  }
}

function testcase(part: ReportPart, check: Check): string {
  const { id, title, seconds, value, unit, threshold, source } = check.result;
  const properties = Object.entries({ id, value, unit, threshold, source, attempts: check.times })
    .filter(([, v]) => v !== null)
    .map(([name, v]) => element('property', { name, value: String(v) }))
    .join('');
  const inside = element('properties', {}, properties) + result(check);
  return element('testcase', { classname: part.id, name: title, time: seconds }, inside);
}

const has = (text: string, tag: string): boolean => text.includes(`<${tag} `);

function suite(part: ReportPart): { text: string; failures: number; errors: number; tests: number } {
  const checks = part.checks.map((c) => testcase(part, c));
  const gaps = part.gaps
    .filter((g) => g.verdict !== 'pass')
    .map((g) => {
      const kind = g.verdict === 'fail' ? 'failure' : g.verdict === 'error' ? 'error' : 'skipped';
      const told = element(kind, { message: g.reason ?? g.verdict.replace('_', ' ') });
      return element('testcase', { classname: part.id, name: g.title, time: 0 }, told);
    });
  const all = [...checks, ...gaps];
  const count = (tag: string) => all.filter((text) => has(text, tag)).length;
  const [failures, errors] = [count('failure'), count('error')];
  const counts = { tests: all.length, failures, errors, skipped: count('skipped') };
  const text = element('testsuite', { name: part.title, ...counts }, all.join('\n'));
  return { text, failures, errors, tests: all.length };
}

export function junit(report: Report): string {
  const suites = report.parts.map(suite);
  const sum = (of: 'tests' | 'failures' | 'errors') => suites.reduce((n, s) => n + s[of], 0);
  const head = {
    name: report.box.name,
    tests: sum('tests'),
    failures: sum('failures'),
    errors: sum('errors'),
  };
  const inside = suites.map((s) => s.text).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', head, inside)}\n`;
}
