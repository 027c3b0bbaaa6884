import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readReport } from '../../../main/services/report.ts';
import { Report } from '../../../preload/contract/report.ts';
import { plans, PROFILE, recordedRows } from './box.ts';
import { markup, openDesk, text } from './desk.ts';

const desk = openDesk();

describe('a report of a good box', () => {
  beforeEach(() => desk.fill(plans()));

  it('has two files, named by box and local time, and nothing half-written beside them', async () => {
    const made = await desk.make();
    const { local } = made.report.made;
    const stamp = local.slice(0, 19).replace(/[-:]/g, '').replace(' ', '-');
    expect(readdirSync(join(desk.dir, 'out')).sort()).toEqual([
      `vault-cube-report-VC-0042-${stamp}.html`,
      `vault-cube-report-VC-0042-${stamp}.json`,
    ]);
    expect(made.outcome).toBe('passed');
    expect(local).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+/);
  });

  it('says the same in the page and in report.json, byte for byte, and reads both back', async () => {
    const made = await desk.make();
    const json = text(made.json);
    expect(text(made.html).includes(`>${json.trim()}</script>`)).toBe(true);
    expect(readReport(made.json)).toEqual(made.report);
    expect(readReport(made.html)).toEqual(made.report);
    expect(Report.parse(JSON.parse(json))).toEqual(made.report);
  });

  it('holds who the box is, its profile and what decides', async () => {
    const { report } = await desk.make();
    expect(report.box).toMatchObject({ name: 'VC-0042', address: { host: '192.168.10.20' } });
    expect(report.box.identity?.boardSerial).toBe('BRD-7F3A');
    expect(report.profile?.document).toEqual(PROFILE);
    expect(report.evidence).toBe('real');
    expect(report.gates.map((g) => [g.id, g.outcome])).toEqual([
      ['ship', 'passed'],
      ['production', 'incomplete'],
    ]);
    expect(report.parts.map((p) => [p.id, p.outcome])).toEqual([
      ['preflight', 'passed'],
      ['keys', 'passed'],
      ['l0', 'passed'],
      ['l1', 'passed'],
      ['gpu-detection', 'passed'],
      ['stress', 'incomplete'],
      ['roles', 'incomplete'],
    ]);
    expect(report.notRun).toEqual([
      { part: 'T7 Stress', what: 'T7 Stress', verdict: 'not_run', why: 'no job of this box ran it' },
      { part: 'T9 Roles', what: 'T9 Roles', verdict: 'not_run', why: 'no job of this box ran it' },
    ]);
  });

  it('names public keys by their fingerprint and tells nothing of private ones', async () => {
    const made = await desk.make();
    expect(made.report.keys?.customer).toEqual([
      {
        type: 'ssh-ed25519',
        fingerprint: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/),
        comment: 'ops@customer.example',
      },
    ]);
    expect(text(made.json).includes('/home/kim')).toBe(false);
    expect(text(made.html).includes('/home/kim')).toBe(false);
  });

  it('tells every attempt with its record: the lost one with its gap, the whole ones with their last hash', async () => {
    const { report } = await desk.make();
    expect(report.jobs).toHaveLength(11);
    const lost = report.jobs.find((j) => j.state === 'lost');
    expect(lost).toMatchObject({
      attempt: 1,
      chain: { ok: true },
      detail: 'The box was rebooted while the job ran; its log ends at line 3.',
    });
    for (const j of report.jobs) {
      expect(j.headSha256).toBe(desk.journal.position(j.job, j.attempt).lastSha256);
      expect(j.events).toBe(desk.journal.position(j.job, j.attempt).seq);
      expect(j.specSha256).toBe(desk.journal.attempt(j.job, j.attempt)?.specSha256);
    }
  });

  it('lists the tasks that changed the box, of all attempts', async () => {
    const { report } = await desk.make();
    expect(report.changed.map((t) => [t.layer, t.attempt, t.name])).toEqual([
      [1, 1, 'Upgrade packages'],
      [1, 2, 'Install essential packages'],
      [1, 2, 'Install Docker Engine'],
      [1, 1, 'Write the sshd drop-in'],
    ]);
  });

  it('sums the recorded telemetry up and keeps its lowest and highest in what it draws', async () => {
    const { report, html } = await desk.make();
    const [telemetry] = report.telemetry;
    const power = telemetry?.fields.find((f) => f.field === 'power.draw')?.series[1];
    const all = recordedRows(0)
      .filter((r) => r[1] === 1)
      .map((r) => Number(r[6]));
    expect(power).toMatchObject({
      name: '1',
      count: all.length,
      min: Math.min(...all),
      max: Math.max(...all),
    });
    expect(power?.mean).toBeCloseTo(all.reduce((a, b) => a + b, 0) / all.length, 3);
    const drawn = power?.points.map(([, v]) => v) ?? [];
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([Math.min(...all), Math.max(...all)]);
    expect(telemetry?.seconds).toBeCloseTo(80, -1);
    // seven charts, a line a GPU in each
    expect(text(html).match(/<figure class="chart">/g)).toHaveLength(7);
    expect(text(html).match(/<path class="g1" d="M\d/g)?.length).toBeGreaterThanOrEqual(7);
  });
});

describe('evidence', () => {
  const standIn = () => plans({ gpus: { evidence: 'stand-in' } });

  it('is the weakest of all, and marked at the head of every page', async () => {
    desk.fill(standIn());
    const { report, html } = await desk.make();
    expect(report.evidence).toBe('stand-in');
    expect(report.parts.find((p) => p.id === 'gpu-detection')?.evidence).toBe('stand-in');
    expect(report.parts.find((p) => p.id === 'l1')?.evidence).toBe('real');
    const page = text(html);
    // the head that print repeats on each page, before everything else
    expect(page.indexOf('class="top"')).toBeLessThan(page.indexOf('<h1>'));
    const head =
      /<div class="top" role="banner">\s*<div class="head stamp" data-evidence="stand-in">\s*<strong>STAND-IN</;
    expect(head.exec(page)).not.toBeNull();
  });

  it('of a practice box says PRACTICE', async () => {
    desk.fill(plans({ preflight: { evidence: 'practice' }, gpus: { evidence: 'stand-in' } }));
    expect(text((await desk.make()).html)).toMatch(/<strong>PRACTICE<\/strong>/);
  });

  it('real carries no stripes', async () => {
    desk.fill(plans());
    expect(text((await desk.make()).html)).not.toContain('data-evidence=');
  });

  it('cannot be stripped from report.json', async () => {
    desk.fill(standIn());
    const { json } = await desk.make();
    const strip = (change: (r: Report) => void) => {
      const data = JSON.parse(text(json)) as Report;
      change(data);
      writeFileSync(json, JSON.stringify(data));
      return () => readReport(json);
    };
    expect(strip((r) => (r.evidence = 'real'))).toThrowError(/evidence: does not follow/);
    expect(strip((r) => r.parts.forEach((p) => (p.evidence = 'real')))).toThrowError(
      /gpu-detection: rests on an attempt of weaker evidence/,
    );
  });

  it('cannot be stripped from the page', async () => {
    desk.fill(standIn());
    const { html } = await desk.make();
    writeFileSync(html, text(html).replace('data-evidence="stand-in"', ''));
    expect(() => readReport(html)).toThrowError(/does not carry the mark of its evidence/);
  });

  it('cannot be stripped from the journal: the record is broken then, and the box failed', async () => {
    const jobs = desk.fill(standIn());
    const last = jobs.at(-1);
    if (!last) throw new Error('no job');
    const lines = [...desk.journal.events(last.job, last.attempt)].length;
    for (let seq = 1; seq <= lines; seq++) {
      desk.changeLine(last.job, last.attempt, seq, (l) =>
        l.replace('"evidence":"stand-in"', '"evidence":"real"'),
      );
    }
    const { report, html } = await desk.make();
    expect(report.outcome).toBe('failed');
    expect(report.gates[0]?.outcome).toBe('failed');
    expect(markup(html).includes('chain broken')).toBe(true);
  });
});

describe('a record that is not whole', () => {
  it('is shown as a broken chain, and what rests on it failed', async () => {
    const jobs = desk.fill(plans());
    const checks = jobs[9];
    if (!checks) throw new Error('no job');
    desk.changeLine(checks.job, checks.attempt, 2, (l) =>
      l.replace('"value":"14 of 14"', '"value":"15 of 14"'),
    );
    const { report, html, outcome } = await desk.make();
    expect(outcome).toBe('failed');
    const broken = report.jobs.filter((j) => !j.chain.ok);
    expect(broken.map((j) => [j.title, j.chain])).toEqual([
      ['Health check of L1 Base system', { ok: false, line: 3, detail: expect.stringContaining('line 3') }],
    ]);
    expect(report.decision.failures).toEqual([
      expect.stringMatching(/^L1 Base system: Record of "Health check of L1 Base system": error \(line 3 /),
    ]);
    expect(markup(html).includes('chain broken')).toBe(true);
    expect(markup(html).includes('The record of 1 attempt is not as it was written.')).toBe(true);
  });

  it('is read as far as it goes where a line is no line any more', async () => {
    const jobs = desk.fill(plans());
    const gpus = jobs.at(-1);
    if (!gpus) throw new Error('no job');
    desk.changeLine(gpus.job, gpus.attempt, 12, (l) => l.slice(0, 40));
    const { report } = await desk.make();
    const job = report.jobs.at(-1);
    expect(job?.chain).toMatchObject({ ok: false, line: 12 });
    expect(job?.events).toBe(11);
    expect(report.outcome).toBe('failed');
  });
});
