/** Telemetry as CSV, without an archive: the bytes that the archive has, named after what they are worth. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readZip } from '../../../main/services/archive/zip.ts';
import { writeTelemetry } from '../../../main/services/telemetryfiles.ts';
import { plans } from '../report/box.ts';
import { openDesk } from '../report/desk.ts';
import { archive } from './desk.ts';

const desk = openDesk();
const write = (only?: { job: string; attempt?: number }) =>
  writeTelemetry(desk.journal, desk.session.id, join(desk.dir, 'csv'), only);

describe('telemetry as CSV', () => {
  it('is what the archive has, for each attempt that has any', async () => {
    desk.fill(plans());
    const [path = '', ...more] = write();
    expect(more).toEqual([]);
    expect(basename(path)).toMatch(/^vault-cube-VC-0042-0011-checks-[0-9a-f]{8}-1-gpu\.csv$/);
    const found = readZip(readFileSync((await archive(desk)).zip));
    const [name = ''] = [...found.keys()].filter((n) => n.startsWith('telemetry/'));
    expect(readFileSync(path).equals(found.get(name) ?? Buffer.alloc(0))).toBe(true);
    expect(readdirSync(join(desk.dir, 'csv'))).toEqual([basename(path)]);
  });

  it('says in its name what is not real, and leaves cells empty that a card did not tell', () => {
    desk.fill(plans({ gpus: { evidence: 'practice', samples: true } }));
    const [path = ''] = write();
    expect(path).toMatch(/-gpu-practice\.csv$/);
    const [head = '', first = ''] = readFileSync(path, 'utf8').split('\n');
    // The recorded cards have no fan of their own: `[N/A]`, which is no zero.
    expect(first.split(',')[head.split(',').indexOf('fan.speed')]).toBe('');
  });

  it('is of one attempt where that is named, and nothing where it has none', () => {
    const jobs = desk.fill(plans());
    const measured = jobs.at(-1) ?? { job: '' };
    expect(write({ job: measured.job })).toHaveLength(1);
    expect(write({ job: measured.job, attempt: 2 })).toEqual([]);
    expect(write({ job: jobs[0]?.job ?? '' })).toEqual([]);
  });

  it('is there whole or not at all', () => {
    desk.fill(plans());
    mkdirSync(join(desk.dir, 'csv'));
    const [path = ''] = write();
    mkdirSync(join(desk.dir, 'other', basename(path), 'x'), { recursive: true });
    expect(() => writeTelemetry(desk.journal, desk.session.id, join(desk.dir, 'other'))).toThrowError(
      expect.objectContaining({ code: 'output_unwritable' }),
    );
    expect(readdirSync(join(desk.dir, 'other'))).toEqual([basename(path)]);
  });
});
