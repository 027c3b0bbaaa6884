/** Earlier reports are found by the names that makeReport gives them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listReports } from '../../../main/services/report/list.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vc-reports-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (...names: string[]) => names.forEach((name) => writeFileSync(join(folder, name), ''));

describe('earlier reports', () => {
  it('are those of this box, newest first, with the time in their name', () => {
    put('vault-cube-report-VC-1-20261124-203812.html', 'vault-cube-report-VC-1-20261124-203812.json');
    put('vault-cube-report-VC-1-20261201-080000.html', 'vault-cube-report-VC-10-20261124-203812.html');
    put(
      'vault-cube-report-VC-1-20261201-080000.html.part',
      'vault-cube-report-VC-1-other.html',
      'notes.html',
    );
    expect(listReports(folder, 'VC-1')).toEqual([
      { html: join(folder, 'vault-cube-report-VC-1-20261201-080000.html'), made: '2026-12-01 08:00:00' },
      { html: join(folder, 'vault-cube-report-VC-1-20261124-203812.html'), made: '2026-11-24 20:38:12' },
    ]);
  });

  it('are none of a box whose name begins like this one', () => {
    put('vault-cube-report-VC-1-B-20261124-203812.html');
    expect(listReports(folder, 'VC-1')).toEqual([]);
  });

  it('are none where there is no such folder', () => {
    expect(listReports(join(folder, 'none'), 'VC-1')).toEqual([]);
  });
});
