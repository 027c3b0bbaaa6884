import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readZip } from '../../../main/services/archive/zip.ts';
import { publicKeyFile } from '../../../main/services/archive/minisign.ts';
import { reportSchema } from '../../../preload/contract/report.ts';
import { checkResult } from '../contract/attempts.ts';
import { GPU_CHECKS, plans, recordedRows } from '../report/box.ts';
import { NOW, openDesk } from '../report/desk.ts';
import { archive, KEY } from './desk.ts';

const desk = openDesk();
const files = (path: string) => readZip(readFileSync(path));
const text = (path: string, name: string) => files(path).get(name)?.toString('utf8') ?? '';

describe('an archive', () => {
  it('holds everything, by box and time, and nothing half-written lies beside it', async () => {
    desk.fill(plans());
    const made = await archive(desk);
    expect(made.zip).toMatch(/vault-cube-BRD-7F3A-\d{8}-\d{6}\.zip$/);
    expect(readdirSync(join(desk.dir, 'out')).length).toBe(2);
    const names = [...files(made.zip).keys()];
    for (const name of [
      ...['README.txt', 'SHA256SUMS', 'junit.xml', 'report.html', 'report.json', 'report.schema.json'],
      'statement.json',
    ])
      expect(names).toContain(name);
    const count = (pattern: RegExp) => names.filter((n) => pattern.test(n)).length;
    expect(count(/^attempts\/\d{4}-[a-z]+-[0-9a-f]{8}-\d\/(spec\.json|events\.jsonl)$/)).toBe(22);
    expect(count(/^telemetry\/0011-checks-[0-9a-f]{8}-1-gpu\.csv$/)).toBe(1);
    expect(text(made.zip, 'report.schema.json')).toBe(`${JSON.stringify(reportSchema(), null, 2)}\n`);
  });

  it('unpacks to what the real sha256sum accepts', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    const to = join(desk.dir, 'unpacked');
    mkdirSync(to);
    execFileSync('python3', ['-m', 'zipfile', '-e', zip, to]);
    const told = execFileSync('sha256sum', ['-c', '--strict', 'SHA256SUMS'], { cwd: to, encoding: 'utf8' });
    expect(told.trim().split('\n')).toHaveLength(files(zip).size - 1);
    expect(told).not.toContain('FAILED');
  });

  it.skipIf(!existsSync('/usr/bin/minisign'))('has a signature that the real minisign accepts', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    const pub = join(desk.dir, 'key.pub');
    writeFileSync(pub, publicKeyFile(KEY));
    const told = execFileSync('minisign', ['-V', '-p', pub, '-m', zip], { encoding: 'utf8' });
    expect(told).toContain(`timestamp:${NOW.getTime() / 1000}\tfile:`);
    expect(told).toContain('\tserial:BRD-7F3A\t');
  });

  it('made again later is the same, but for the time in the signature', async () => {
    desk.fill(plans());
    const first = await archive(desk);
    desk.behind(() => undefined, { readOnly: true });
    const again = await archive(desk, { now: new Date(NOW.getTime() + 86_400_000) }, 'again');
    expect(readFileSync(again.zip).equals(readFileSync(first.zip))).toBe(true);
    const lines = (path: string | null) => readFileSync(path ?? '', 'utf8').split('\n');
    const [a, b] = [lines(first.signature), lines(again.signature)];
    expect([a[0], a[1]]).toEqual([b[0], b[1]]);
    expect(a[2]?.replace(/timestamp:\d+/, '')).toBe(b[2]?.replace(/timestamp:\d+/, ''));
    expect(a[2]).not.toBe(b[2]);
  });

  it('unsigned takes away the signature of an earlier one that no longer fits', async () => {
    desk.fill(plans());
    const made = await archive(desk);
    expect(existsSync(`${made.zip}.minisig`)).toBe(true);
    const again = await archive(desk, { key: null });
    expect([again.zip, again.signature, existsSync(`${made.zip}.minisig`)]).toEqual([made.zip, null, false]);
  });

  it('has every sample as CSV', async () => {
    desk.fill(plans());
    const { zip } = await archive(desk);
    const name = [...files(zip).keys()].find((n) => n.endsWith('.csv')) ?? '';
    const [head, ...rows] = text(zip, name).trim().split('\n');
    expect(head).toMatch(/^boot,mono_s,series,utilization\.gpu,memory\.used,/);
    expect(rows).toHaveLength(recordedRows(0).length);
    const [, , gpu, load] = rows[1]?.split(',') ?? [];
    expect([Number(gpu), Number(load)]).toEqual(recordedRows(0)[1]?.slice(1, 3));
  });

  it('hides nothing: lost, cancelled and failed attempts are in it, with their logs', async () => {
    desk.fill(plans({ harden: { end: 'cancelled' }, fetch0: { end: 'failed', detail: 'no room' } }));
    const { zip, report } = await archive(desk);
    expect(report.jobs.map((j) => j.state)).toEqual(expect.arrayContaining(['cancelled', 'failed', 'lost']));
    const logs = [...files(zip).keys()].filter((n) => n.endsWith('events.jsonl'));
    expect(logs).toHaveLength(report.jobs.length);
    const page = text(zip, 'report.html');
    for (const word of ['cancelled', 'lost', 'no room']) expect(page).toContain(word);
  });

  it('names customer, site and engineer', async () => {
    desk.fill(plans(), { handover: { customer: 'ACME & Sons', site: 'Hall 3', engineer: 'Kim' } });
    const { zip } = await archive(desk);
    const front = 'Customer: ACME &amp; Sons · Site: Hall 3 · Handed over by Kim';
    expect(text(zip, 'report.html')).toContain(front);
  });

  it.each([
    ['practice', { evidence: 'practice' }, plans().length, ['PRACTICE']],
    ['incomplete', {}, 6, ['INCOMPLETE']],
    ['both', { evidence: 'practice' }, 6, ['PRACTICE · INCOMPLETE', 'PRACTICE INCOMPLETE']],
  ])('%s is marked at the head and across every page', async (_what, change, jobs, marks) => {
    desk.fill(plans({ preflight: change }).slice(0, jobs));
    const page = text((await archive(desk)).zip, 'report.html').replace(/\s+/g, ' ');
    expect(/<div class="head stamp"[^>]*><strong>([^<]*)</.exec(page)?.[1]?.trim()).toBe(marks[0]);
    expect(/<div class="watermark" aria-hidden="true">([^<]*)</.exec(page)?.[1]?.trim()).toBe(marks.at(-1));
  });
});

describe('the files for machines', () => {
  it('junit.xml is XML with a case for each check, whatever its texts hold', async () => {
    const evil = checkResult('gpu_fan', 'fail', { title: '</testcase> & "x" \u0000\u001b', reason: 'a\nb' });
    desk.fill(plans({ gpus: { checks: [...GPU_CHECKS, evil] } }));
    const { zip, report } = await archive(desk);
    const script =
      'import sys,xml.etree.ElementTree as e\nr=e.fromstring(sys.stdin.buffer.read())\n' +
      'print(len(r.findall(".//testcase")),len(r.findall(".//failure")),r.get("failures"))';
    const told = execFileSync('python3', ['-c', script], { input: text(zip, 'junit.xml'), encoding: 'utf8' });
    const checks = report.parts.reduce((n, p) => n + p.checks.length, 0);
    const gaps = report.parts.flatMap((p) => p.gaps).filter((g) => g.verdict !== 'pass').length;
    expect(told.trim()).toBe(`${checks + gaps} 1 1`);
  });

  it('statement.json is an in-toto statement about the box, and about the image that was proven', async () => {
    desk.fill(plans());
    const told = JSON.parse(text((await archive(desk)).zip, 'statement.json')) as Record<string, unknown>;
    expect(told).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: 'urn:vault-cube:box:BRD-7F3A', digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      ],
      predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
      predicate: { result: 'PASSED', outcome: 'passed', evidence: 'real', failedTests: [] },
    });
  });

  it('statement.json of a flashed box is about the image that was read back from its disk', async () => {
    const hash = 'ab'.repeat(32);
    const check = checkResult('flash_disk_hash', 'pass', { title: 'Disk hash', value: hash });
    const flash = {
      kind: 'flash' as const,
      title: 'Flash 990 PRO',
      params: { image: '/x.qcow2' },
      checks: [check],
    };
    desk.fill([flash, ...plans()]);
    const { zip, report } = await archive(desk);
    expect(report.put[0]).toMatchObject({ title: 'Flash 990 PRO', diskHash: hash });
    const told = JSON.parse(text(zip, 'statement.json')) as { subject: unknown[] };
    expect(told.subject[0]).toEqual({ name: 'Flash 990 PRO', digest: { vaultCubeDiskHash: hash } });
    expect(told.subject).toHaveLength(2);
  });
});
