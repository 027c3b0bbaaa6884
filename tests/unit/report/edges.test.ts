import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FORMAT } from '../../../main/journal/schema.ts';
import { makeReport, readReport } from '../../../main/services/report.ts';
import { checkResult } from '../contract/attempts.ts';
import { GPU_CHECKS, L1_CHECKS, plans } from './box.ts';
import { markup, NOW, openDesk, text } from './desk.ts';

const desk = openDesk();

describe('a box that is not done', () => {
  it('is incomplete, with the reason for everything that did not run', async () => {
    desk.fill(plans().slice(0, 6));
    const { report, outcome, html } = await desk.make();
    expect(outcome).toBe('incomplete');
    expect(report.decision.missing).toEqual([
      'L1 Base system: Health check: not run',
      'T1 GPU detection: not run',
    ]);
    expect(report.telemetry).toEqual([]);
    const page = markup(html);
    expect(page.includes('No telemetry is recorded.')).toBe(true);
    expect(/class="outcome none">.{0,60}–.{0,20}<span>incomplete/.exec(page)).not.toBeNull();
  });

  it('can be one on which nothing was run at all', async () => {
    desk.fill([], { keys: null, identity: null, hostKey: null });
    const { report, html } = await desk.make();
    expect(report).toMatchObject({
      outcome: 'incomplete',
      evidence: null,
      gates: [],
      facts: null,
      profile: null,
    });
    for (const said of [
      'Nothing was measured',
      'No job is recorded',
      'No preflight',
      'No profile recorded',
    ]) {
      expect([said, markup(html).includes(said)]).toEqual([said, true]);
    }
  });

  it('shows a job that is still running as that', async () => {
    desk.fill(plans({ gpus: { end: null } }));
    const { report } = await desk.make();
    expect(report.parts.find((p) => p.id === 'gpu-detection')).toMatchObject({
      state: 'running',
      outcome: 'incomplete',
    });
    expect(report.jobs.at(-1)?.state).toBe('running');
  });

  it('names deviations, waivers and a failed check with its next action', async () => {
    const failed = checkResult('l1_sshd_port', 'fail', {
      title: 'sshd listens on port 22',
      value: 2222,
      threshold: '22',
      nextAction: 'Run layer 1 again.',
    });
    const checks = [...L1_CHECKS.slice(0, 2), failed];
    const waiver = {
      check: 'l1_sshd_port',
      name: 'Kim',
      reason: 'the customer keeps it',
      at: NOW.toISOString(),
    };
    desk.fill(plans({ checks1: { checks } }), {
      waivers: [waiver],
      deviations: [{ id: 'uid', text: 'vaultadmin has UID 1001', at: NOW.toISOString() }],
    });
    const { report, html } = await desk.make();
    expect(report.outcome).toBe('passed_with_deviations');
    expect(report.decision.deviations).toEqual([
      'vaultadmin has UID 1001',
      'L1 Base system: sshd listens on port 22: fail (waived by Kim: the customer keeps it)',
    ]);
    const page = markup(html);
    const one = page.slice(0, page.indexOf('id="identity"'));
    expect(one.includes('vaultadmin has UID 1001')).toBe(true);
    expect(one.includes('waived by Kim: the customer keeps it')).toBe(true);
    expect(page.includes('data-verdict="fail" open')).toBe(true);
    expect(page.includes('Run layer 1 again.')).toBe(true);
  });
});

describe('what comes from outside', () => {
  const EVIL = `"><script>alert(1)</script><!-- </script> & 'x' \u001b[31m\u202Egnp`;

  it('is text in the page, wherever it stands', async () => {
    const more = { title: EVIL, value: EVIL, threshold: EVIL, source: EVIL, reason: EVIL, evidence: EVIL };
    const checks = [...GPU_CHECKS, checkResult(EVIL, 'warn', { ...more, nextAction: EVIL, unit: EVIL })];
    desk.fill(
      plans({
        gpus: { title: EVIL, checks },
        lost: { lost: EVIL },
        layer: { tasks: [{ name: EVIL, role: EVIL, changed: true }] },
      }),
      {
        deviations: [{ id: 'x', text: EVIL, at: EVIL }],
        waivers: [{ check: 'gpu_xid', name: EVIL, reason: EVIL, at: EVIL }],
        user: EVIL,
        address: { host: EVIL, port: 22 },
      },
    );
    const { html, report } = await desk.make();
    const page = text(html);
    // exactly the two script elements of the template, and none of the planted ones
    expect(page.match(/<script/gi)).toHaveLength(2);
    expect(page.match(/<\/script/gi)).toHaveLength(2);
    const shown = markup(html);
    for (const raw of ['<!-- ', 'alert(1)</', '\u001b', '\u202E', '"&gt;"']) {
      expect([raw, shown.includes(raw)]).toEqual([raw, false]);
    }
    expect(shown.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;/g)?.length).toBeGreaterThan(12);
    expect(readReport(html)).toEqual(report);
    expect(report.deviations[0]?.text).toBe(EVIL);
  });

  it('is asked for by nothing in the page', async () => {
    desk.fill(plans());
    const { html } = await desk.make();
    const shown = markup(html);
    const asking = /\b(src|srcset|action|poster|data)=|url\(|@import|<(link|iframe|img|object|embed|base)\b/i;
    expect(asking.exec(shown)).toBeNull();
    expect(shown.match(/href="[^"]*"/g)?.filter((h) => !h.startsWith('href="#'))).toEqual([]);
  });

  it('names by hash the only style and the only script that may act', async () => {
    desk.fill(plans());
    const page = text((await desk.make()).html);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
    const parts = [...page.matchAll(/<(style|script)>([\s\S]*?)<\/\1>/g)];
    expect(parts.map((p) => p[1])).toEqual(['style', 'script']);
    for (const [, kind = '', body = ''] of parts) {
      const hash = createHash('sha256').update(body).digest('base64');
      expect(policy).toContain(`${kind}-src 'sha256-${hash}'`);
    }
    expect(policy).toContain("default-src 'none'");
    expect(/ (style|on\w+)="/.exec(markup((await desk.make()).html))).toBeNull();
  });
});

describe('where it comes from and goes to', () => {
  it('a journal that can only be read will do', async () => {
    desk.fill(plans());
    const writable = await desk.make();
    desk.behind(() => undefined, { readOnly: true });
    expect(desk.journal.readOnly).toBe(true);
    expect((await desk.make(join(desk.dir, 'again'))).report).toEqual(writable.report);
  });

  it('a journal of a newer version will do, and the page says that it may hold more', async () => {
    desk.fill(plans());
    desk.behind((db) => db.exec(`pragma user_version = ${FORMAT + 1}`));
    const { report, html, outcome } = await desk.make();
    expect(report.newerJournal).toBe(FORMAT + 1);
    expect(outcome).toBe('passed');
    expect(markup(html).includes('written by a newer version of the app')).toBe(true);
  });

  it('a folder that cannot be written is named, and nothing is left there', async () => {
    desk.fill(plans());
    const file = join(desk.dir, 'file');
    writeFileSync(file, '');
    await expect(desk.make(join(file, 'sub'))).rejects.toMatchObject({ code: 'output_unwritable' });
    const taken = join(desk.dir, 'taken');
    const made = await desk.make(taken);
    rmSync(made.html);
    mkdirSync(join(made.html, 'x'), { recursive: true });
    await expect(desk.make(taken)).rejects.toMatchObject({ code: 'output_unwritable' });
    expect(readdirSync(taken).filter((f) => f.endsWith('.part'))).toEqual([]);
  });

  it('a box that nobody knows has no report', async () => {
    desk.fill([]);
    await expect(
      makeReport(desk.journal, 'no-such-session', desk.dir, { appVersion: 'x' }),
    ).rejects.toMatchObject({ code: 'unknown_box' });
  });

  it.each(['', '<html></html>', '{', '{"v":2}'])('%j is not read as a report', (content) => {
    const path = join(desk.dir, 'x');
    writeFileSync(path, content);
    expect(() => readReport(path)).toThrowError(expect.objectContaining({ code: 'report_invalid' }));
    expect(() => readReport(join(desk.dir, 'none'))).toThrowError(
      expect.objectContaining({ code: 'report_invalid' }),
    );
  });
});
