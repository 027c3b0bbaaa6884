import { describe, expect, it } from 'vitest';
import { amongEarlier, earlierOnes, sideBySide } from '../../../main/services/compare.ts';
import { gatherReport } from '../../../main/services/report/gather.ts';
import type { Report } from '../../../preload/contract/report.ts';
import { GPU_CHECKS, plans } from '../report/box.ts';
import { openDesk } from '../report/desk.ts';

const desk = openDesk();

/** Another box of the same make, recorded `days` later, at this temperature at idle. */
function box(name: string, days: number, idle: number, evidence: 'real' | 'practice' = 'real'): Report {
  const checks = GPU_CHECKS.map((c) => (c.id === 'gpu_idle_temperature' ? { ...c, value: idle } : c));
  desk.fill(plans({ gpus: { checks, evidence } }), { name });
  const report = gatherReport(desk.journal, desk.session.id, 'x');
  return { ...report, made: { ...report.made, utc: new Date(Date.UTC(2026, 10, 1 + days)).toISOString() } };
}
const IDLE = 'gpu-detection/gpu_idle_temperature';

describe('side by side', () => {
  it('has a row for what any of them measured, and says which differ', () => {
    const rows = sideBySide([box('A', 0, 38), box('B', 1, 44)]);
    expect(rows.filter((r) => r.differs).map((r) => [r.key, r.cells.map((c) => c?.value)])).toEqual([
      [IDLE, [38, 44]],
    ]);
    expect(rows.find((r) => r.key.includes('/power.draw/highest'))?.cells.every((c) => c !== null)).toBe(
      true,
    );
  });

  it('leaves a cell empty where one lacks it', () => {
    const less = { ...box('B', 1, 38), telemetry: [] };
    const row = sideBySide([box('A', 0, 38), less]).find((r) => r.key.includes('/power.draw/mean'));
    expect([row?.differs, row?.cells[1]]).toEqual([true, null]);
  });
});

describe('one among earlier ones', () => {
  it('are other boxes of its profile and evidence, recorded before it, the newest of each', () => {
    const one = box('ONE', 5, 38);
    const earlier = box('A', 0, 38);
    const again = { ...earlier, made: { ...earlier.made, utc: '2026-11-03T00:00:00.000Z' } };
    const all = [earlier, again, box('LATER', 9, 38), box('TRAINING', 1, 38, 'practice'), one];
    expect(earlierOnes(one, all)).toEqual([again]);
  });

  it.each([
    [38, false],
    [41, false],
    [55, true],
    [20, true],
  ])('at %d °C at idle: outlier %j', (idle, outlier) => {
    const earlier = [37, 38, 38, 39, 40, 36].map((t, i) => box(`E${i}`, i, t));
    const placed = amongEarlier(box('ONE', 20, idle), earlier).find((p) => p.key === IDLE);
    expect(placed).toMatchObject({ value: idle, count: 6, low: 36, median: 38, high: 40, outlier });
  });

  it('that are all the same make any other value an outlier; too few make none', () => {
    const same = [38, 38, 38, 38, 38].map((t, i) => box(`E${i}`, i, t));
    const found = (earlier: Report[]) =>
      amongEarlier(box(`ONE${earlier.length}`, 20, 39), earlier).find((p) => p.key === IDLE);
    expect(found(same)).toMatchObject({ distance: null, outlier: true });
    expect(found(same.slice(1))).toMatchObject({ outlier: false });
  });
});
