/** What happened beside the curves: steps, driver errors and slowed cards, in report.json, on the page, and found by who verifies. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readZip } from '../../../main/services/archive/zip.ts';
import { readReport } from '../../../main/services/report.ts';
import { verdictOf } from '../../../preload/contract/verification.ts';
import { parseReport, type ReportHappened } from '../../../preload/contract/report.ts';
import { archive, edited, verify } from '../archive/desk.ts';
import type { LogWriter } from '../journal/log.ts';
import { plans } from './box.ts';
import { markup, openDesk } from './desk.ts';

const desk = openDesk();

// The same sentence in tests/box/test_kernelwatch.py, which has the box write it.
const XID = 'Xid 79 (fatal) on 0000:00:07: the card has fallen off the bus';
const FIELDS = ['power.draw', 'clocks_event_reasons.active'];

/** Two cards for 300 s: card 0 at its power limit in every other second, card 1 hot from 40 s on. */
function load(log: LogWriter): Buffer[] {
  const zero = log.mono;
  const step = (state: string, seconds: number) =>
    log.line('step', { id: 'soak', title: 'Soak <all> cards', state, outcome: 'ok' }, seconds);
  const rows = Array.from({ length: 300 }, (_, i) => [
    [zero + i, 0, 690, i % 2 ? '0x0000000000000004' : '0x0000000000000000'],
    [zero + i, 1, 700, i < 40 ? '0x0000000000000001' : '0x0000000000000020'],
  ]).flat();
  const note = { step: 'soak', stream: 'note', text: XID };
  return [
    step('begin', 10),
    log.line('log', note, 50),
    log.line('log', { ...note, stream: 'stdout' }, 1),
    log.line('log', note, 29),
    log.line('samples', { source: 'gpu', fields: FIELDS, rows }, 100),
    step('end', 100),
  ];
}
const told = async (): Promise<ReportHappened> => {
  desk.fill(plans({ gpus: { samples: false, more: load } }));
  const { report } = await desk.make();
  const happened = report.telemetry[0]?.happened;
  if (!happened) throw new Error('nothing is told');
  return happened;
};

describe('what happened beside the curves', () => {
  it('is each step with its time, and each sentence once with how often', async () => {
    const { bands, marks } = await told();
    expect(bands).toEqual([{ from: 10, to: 290, text: 'Soak <all> cards' }]);
    const short = marks.map(({ at, ...m }) => ({ ...m, at: at.slice(0, 2), kept: at.length }));
    expect(short).toEqual(
      expect.arrayContaining([
        { text: XID, tone: 'fail', times: 2, at: [60, 90], kept: 2 },
        { text: 'GPU 0 slowed down: power cap', tone: 'plain', times: 150, at: [1, 3], kept: 50 },
        { text: 'GPU 1 slowed down: heat (driver)', tone: 'warn', times: 1, at: [40], kept: 1 },
      ]),
    );
  });

  it('is drawn in every chart and told in a table', async () => {
    await told();
    const { html, report } = await desk.make();
    const page = markup(html);
    const charts = page.match(/<figure class="chart">.*?<\/figure>/g) ?? [];
    expect(charts).toHaveLength(1);
    const count = (pattern: RegExp) => charts[0]?.match(pattern)?.length;
    expect([count(/<rect class="band"/g), count(/class="mark fail"/g), count(/class="mark warn"/g)]).toEqual([
      1, 2, 1,
    ]);
    const table = /<table class="timeline">.*?<\/table>/.exec(page)?.[0] ?? '';
    for (const words of ['Soak &lt;all&gt; cards', '10 s to 4 min 50 s', '150 times, first at 1.0 s', XID])
      expect(table).toContain(words);
    expect(report.v).toBe(3);
  });

  it.each<[string, string, (text: string) => string]>([
    [
      'made less of',
      'does not follow from its logs',
      (text) => text.replace('"tone":"fail","times":2', '"tone":"plain","times":2'),
    ],
    [
      'left out',
      'does not tell what happened',
      (text) => text.replace(/"happened":{.*?}]}/, '"happened":null'),
    ],
    [
      'left out as if the report were older',
      'report.json is not written as',
      (text) => text.replace('{"v":3', '{"v":2').replace(/"happened":{.*?}]},/, ''),
    ],
  ])('cannot be %s in an archive that is signed anew', async (_how, problem, change) => {
    await told();
    const { zip } = await archive(desk);
    expect(verify(zip).problems).toEqual([]);
    await edited(zip, (files) => {
      const text = files.get('report.json')?.toString('utf8') ?? '';
      expect(change(text)).not.toBe(text);
      const page = files.get('report.html')?.toString('utf8') ?? '';
      files.set('report.json', Buffer.from(change(text)));
      files.set('report.html', Buffer.from(page.replace(text.trimEnd(), () => change(text).trimEnd())));
    });
    const found = verify(zip);
    expect(verdictOf(found)).toBe('changed');
    expect(found.problems.join()).toContain(problem);
  });
});

describe('a report of version 2', () => {
  it('is still read, and nothing is said of what it did not tell', async () => {
    await told();
    const { json } = await desk.make();
    const data = JSON.parse(readFileSync(json, 'utf8')) as {
      v: number;
      telemetry: Record<string, unknown>[];
    };
    data.v = 2;
    for (const t of data.telemetry) delete t['happened'];
    writeFileSync(json, JSON.stringify(data));
    expect(readReport(json).telemetry[0]?.happened).toBeNull();
    data.v = 3;
    expect(parseReport(data).success).toBe(false);
  });

  it('that was kept from a real machine is whole: only what another version would say is a note', () => {
    const zip = 'docs/evidence/2026-11-29-one-h200/vault-cube-LAB-20261129-162527.zip';
    expect(readZip(readFileSync(zip)).get('report.json')?.toString('utf8')).toContain('"v":2');
    expect(verify(zip).problems).toEqual([]);
  });
});
