import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { newSecretKey, signBytes } from '../../../main/services/archive/minisign.ts';
import { scriptJson } from '../../../main/services/report/markup.ts';
import { verifyArchive } from '../../../main/services/verify.ts';
import type { Report } from '../../../preload/contract/report.ts';
import { verdictOf, verdictSentence, type Verification } from '../../../preload/contract/verification.ts';
import { checkResult } from '../contract/attempts.ts';
import { GPU_CHECKS, plans } from '../report/box.ts';
import { openDesk } from '../report/desk.ts';
import { sha } from '../journal/log.ts';
import { archive, edited, KEY, TRUSTED, verify } from './desk.ts';

const desk = openDesk();

/** The same numbers in each run. */
let seed = 20_261_124;
function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

const verdict = (v: Verification) => [verdictOf(v), v.problems];

describe('a good archive', () => {
  it('is intact, by whom, and complete', async () => {
    desk.fill(plans());
    const found = verify((await archive(desk)).zip);
    expect(verdict(found)).toEqual(['ok', []]);
    expect(found.signature).toMatchObject({ state: 'good', by: 'Kim', at: '2026-11-24T20:03:11.000Z' });
    expect(found.report).toMatchObject({
      box: 'VC-0042',
      serial: 'BRD-7F3A',
      outcome: 'passed',
      attempts: 11,
    });
    expect(verdictSentence(found)).toBe('Intact, signed by Kim, complete.');
  });

  it('is so with retries, a failed check, a waiver, a kept UID, and a practice box', async () => {
    const failed = checkResult('gpu_fan', 'fail', { title: 'Fans turn' });
    const waiver = { check: 'gpu_fan', name: 'Kim', reason: 'no fans', at: '2026-11-24T06:00:00.000Z' };
    desk.fill(
      plans({
        harden: { end: 'cancelled' },
        gpus: { checks: [...GPU_CHECKS, failed], evidence: 'practice' },
      }),
      {
        practice: true,
        waivers: [waiver],
        deviations: [{ id: 'uid', text: 'vaultadmin has UID 1001', at: '2026-11-24T06:00:00.000Z' }],
      },
    );
    const found = verify((await archive(desk)).zip);
    expect(found.problems).toEqual([]);
    expect(found.report?.evidence).toBe('practice');
  });

  it('without a signature is said to be by anybody', async () => {
    desk.fill(plans());
    expect(verdict(verify((await archive(desk, { key: null })).zip))).toEqual(['unsigned', []]);
  });

  it('of an unknown key says which, and that it is its whole work all the same', async () => {
    desk.fill(plans());
    const found = verify((await archive(desk)).zip, []);
    expect(verdictOf(found)).toBe('unknownKey');
    expect(verdictSentence(found)).toMatch(/^Intact, signed by an unknown key \([0-9A-F]{16}\)\.$/);
  });

  it('signed by another tool with an unknown key cannot be checked, and says so', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    writeFileSync(`${zip}.minisig`, signBytes(readFileSync(zip), KEY, 'timestamp:1\tfile:x'));
    expect(verdictOf(verify(zip))).toBe('ok');
    expect(verdictSentence(verify(zip, []))).toContain('the signature could not be checked');
  });

  it('of a box that is not done names what is missing', async () => {
    desk.fill(plans().slice(0, 6));
    const found = verify((await archive(desk)).zip);
    expect(verdictOf(found)).toBe('incomplete');
    expect(found.report?.missing).toEqual([
      'L1 Base system: Health check: not run',
      'T1 GPU detection: not run',
    ]);
  });
});

describe('tampering', () => {
  it('each of 200 bytes turned in the zip or in the lines of the signature is found', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    const sig = `${zip}.minisig`;
    const [zipBytes, sigBytes] = [readFileSync(zip), readFileSync(sig)];
    const signedFrom = sigBytes.indexOf(0x0a);
    const missed: string[] = [];
    for (let i = 0; i < 200; i += 1) {
      // Every fourth of them in the signature's lines, which are few.
      const inSignature = i % 4 === 0;
      const [path, whole, from] = inSignature
        ? ([sig, sigBytes, signedFrom] as const)
        : ([zip, zipBytes, 0] as const);
      const at = from + random(whole.length - from);
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 + random(255));
      writeFileSync(path, changed);
      const found = verify(zip);
      if (verdictOf(found) !== 'changed' || found.problems.length === 0) missed.push(`${path} byte ${at}`);
      writeFileSync(path, whole);
    }
    expect(missed).toEqual([]);
    expect(verdictOf(verify(zip))).toBe('ok');
  }, 120_000);

  it('of the untrusted comment is nobody’s business, and it is shown as unsigned', async () => {
    desk.fill(plans());
    const { zip, signature } = await archive(desk);
    const path = signature ?? '';
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(/^untrusted comment: .*/, 'untrusted comment: by God'),
    );
    const found = verify(zip);
    expect([verdictOf(found), found.signature.untrusted]).toEqual(['ok', 'by God']);
  });

  it('each of 50 events dropped, doubled or moved in an archive that is then signed anew is found', async () => {
    desk.fill(plans());
    const { zip, signature } = await archive(desk);
    const [whole, sig] = [readFileSync(zip), readFileSync(signature ?? '')];
    const missed: string[] = [];
    for (let i = 0; i < 50; i += 1) {
      let what = '';
      await edited(zip, (files) => {
        const logs = [...files].filter(
          ([n, b]) => n.endsWith('.jsonl') && b.toString().split('\n').length > 3,
        );
        const [name, bytes] = logs[random(logs.length)] ?? ['', Buffer.alloc(0)];
        const lines = bytes.toString('utf8').split('\n').slice(0, -1);
        const at = random(lines.length - 1);
        const line = lines[at] ?? '';
        what = `${['drop', 'double', 'move'][i % 3]} line ${at + 1} of ${name}`;
        if (i % 3 === 0) lines.splice(at === 0 ? 0 : at + random(2), 1);
        else if (i % 3 === 1) lines.splice(at, 0, line);
        else lines.splice(at, 2, lines[at + 1] ?? '', line);
        files.set(name, Buffer.from(`${lines.join('\n')}\n`));
      });
      if (verdictOf(verify(zip)) !== 'changed') missed.push(what);
      writeFileSync(zip, whole);
      writeFileSync(signature ?? '', sig);
    }
    expect(missed).toEqual([]);
  }, 120_000);

  it('an event dropped, edited or moved in the journal, before the archive is made, is found', async () => {
    const jobs = desk.fill(plans());
    const { job, attempt } = jobs.at(-1) ?? { job: '', attempt: 0 };
    desk.changeLine(job, attempt, 4, (l) => l.replace('"seq":4', '"seq": 4'));
    const found = verify((await archive(desk)).zip);
    expect(found.problems.join()).toMatch(/The log of "T1 GPU detection", attempt 1 is not whole at line 5/);
  });

  it('the last event cut off in the journal is found, since the box said where its log ends', async () => {
    const jobs = desk.fill(plans());
    const last = jobs.at(-1);
    desk.behind((db) => {
      const of = '(select id from jobs where job = ?)';
      const cut = `delete from events where job_id = ${of} and seq = (select max(seq) from events where job_id = ${of})`;
      db.prepare(cut).run(last?.job ?? '', last?.job ?? '');
    });
    expect(verdictOf(verify((await archive(desk)).zip))).toBe('changed');
  });

  const reportIn = (files: Map<string, Buffer>) =>
    JSON.parse(files.get('report.json')?.toString() ?? '') as Report;

  it.each<[string, (r: Report) => void]>([
    ['a value', (r) => r.parts.at(-3)?.checks.forEach((c) => (c.result.value = 4))],
    ['a check left out that informs only', (r) => void r.parts.at(-3)?.checks.splice(0, 1)],
    ['an attempt left out', (r) => void r.jobs.splice(6, 1)],
    ['a time', (r) => ((r.jobs[0] as { startedAt: string }).startedAt = '2026-01-01T00:00:00.000Z')],
    ['a curve', (r) => void r.telemetry[0]?.fields[0]?.series[0]?.points.splice(0, 1)],
    ['a task', (r) => void r.changed.splice(0, 1)],
  ])('%s edited in the report, all else made to fit and signed anew', async (_what, change) => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    await edited(zip, (files) => {
      const before = files.get('report.json')?.toString().trimEnd() ?? '';
      const report = reportIn(files);
      change(report);
      const after = scriptJson(report);
      files.set('report.json', Buffer.from(`${after}\n`));
      files.set(
        'report.html',
        Buffer.from((files.get('report.html')?.toString() ?? '').replace(before, () => after)),
      );
    });
    expect(verdictOf(verify(zip))).toBe('changed');
  });

  it.each<[string, (files: Map<string, Buffer>) => void]>([
    [
      'a word of the page',
      (f) =>
        f.set('report.html', Buffer.from(f.get('report.html')?.toString().replace('passed', 'PASSED') ?? '')),
    ],
    ['a result in junit.xml', (f) => f.set('junit.xml', Buffer.from('<testsuites/>\n'))],
    ['the statement', (f) => f.set('statement.json', Buffer.from('{}\n'))],
    ['the page gone', (f) => void f.delete('report.html')],
    ['the data gone', (f) => void f.delete('report.json')],
    ['a log that nobody tells of', (f) => f.set('attempts/9999-x/events.jsonl', Buffer.from('x'))],
    [
      'telemetry',
      (f) => [...f.keys()].filter((n) => n.endsWith('.csv')).forEach((n) => f.set(n, Buffer.from('x\n'))),
    ],
  ])('%s, signed anew', async (_what, change) => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    await edited(zip, change);
    const found = verify(zip);
    expect([verdictOf(found), found.signature.by]).toEqual(['changed', 'Kim']);
  });

  it('the signature of another box’s report does not pass for this one', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    writeFileSync(`${zip}.minisig`, signBytes(readFileSync(zip), KEY, 'timestamp:1\tserial:OTHER'));
    expect(verify(zip).problems).toEqual(['The signature names the box OTHER; the report is of BRD-7F3A.']);
  });

  it('a key that takes the id of a known one is none', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk, { key: { ...newSecretKey(), id: KEY.id } });
    expect(verdictOf(verify(zip))).toBe('changed');
  });
});

describe('what is no archive', () => {
  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a text', Buffer.from('hello')],
    ['random bytes', Buffer.from(sha(Buffer.from('x')).repeat(50), 'hex')],
  ])('%s: a sentence, no crash', async (_what, bytes) => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    writeFileSync(zip, bytes);
    rmSync(`${zip}.minisig`);
    const found = verify(zip);
    expect(verdict(found)).toEqual([
      'changed',
      [expect.stringMatching(/^The archive cannot be read: .*\.$/)],
    ]);
  });

  it('a file that is not there, and a folder', () => {
    for (const path of [desk.dir, `${desk.dir}/none.zip`]) {
      const found = verifyArchive(path, { trusted: TRUSTED, version: 'x' });
      expect(found.problems).toEqual([expect.stringMatching(/^The file cannot be read: /)]);
    }
  });
});
