/** The table of breaks covers layer 1: every check has a row that breaks it, and rows that are done together are apart. */
import { describe, expect, it } from 'vitest';
import { PYTHON, ROOT } from '../../rig/host.ts';
import { ACCESS } from './access.ts';
import { layerChecks, rounds } from './mend.ts';
import { SYSTEM } from './system.ts';

const rows = [...SYSTEM, ...ACCESS];

describe('the table of breaks', () => {
  it('breaks every check of layer 1', async () => {
    const broken = new Set(rows.flatMap((row) => Object.keys(row.finds)));
    expect((await layerChecks(ROOT, PYTHON)).filter((id) => !broken.has(id))).toEqual([]);
  });

  it('names each break once', () => {
    expect(new Set(rows.map((row) => row.what)).size).toBe(rows.length);
  });

  it('does in one round only what is about different checks', () => {
    const all = rounds(rows);
    expect(all.flat()).toHaveLength(rows.length);
    for (const round of all) {
      const ids = round.flatMap((row) => Object.keys(row.finds));
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});
