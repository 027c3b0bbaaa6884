/** What a flashed system says of itself at its first login. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { GROWN_LOOK, firstBootChecks, readGrown } from '../../../main/services/flash/grown.ts';

const GIB = 1024 ** 3;

/** As a box with a disk of 2 GiB says it; each may be another. */
const said = (other: Record<string, string | number> = {}): string => {
  const all = {
    ...{ evidence: 'stand-in', hostname: 'vc-0042', root: 'nvme0n1p3' },
    ...{
      start: 92_160,
      size: (2 * GIB) / 512 - 92_160 - 2048,
      disk: (2 * GIB) / 512,
      fs: Math.round(1.9 * GIB),
    },
    ...other,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
};
const verdicts = (text: string) =>
  firstBootChecks(readGrown(text), 'vc-0042').map(({ id, verdict, reason }) => [id, verdict, reason]);

describe('the first look at a flashed system', () => {
  it('passes one with its name and all of its disk', () => {
    expect(readGrown(said()).evidence).toBe('stand-in');
    expect(verdicts(said())).toEqual([
      ['first_boot_hostname', 'pass', null],
      ['first_boot_root_grown', 'pass', null],
    ]);
  });

  it.each([
    [{ hostname: 'golden' }, 0, 'fail', /another name/],
    [{ size: (1 * GIB) / 512 }, 1, 'fail', /end of the disk/],
    [{ fs: Math.round(GIB / 3) }, 1, 'fail', /does not fill/],
    [{ root: 'dm-0', start: '' }, 1, 'not_run', /lies on dm-0/],
    [{ disk: '', root: '' }, 1, 'not_run', /nothing known/],
  ] as const)('does not pass one that says %j', (other, at, verdict, reason) => {
    const [, found, why] = verdicts(said(other))[at] ?? [];
    expect(found).toBe(verdict);
    expect(why).toMatch(reason);
  });

  it('takes a box without a mark for a real one', () => {
    expect(readGrown('').evidence).toBe('real');
    expect(readGrown(said({ evidence: '' })).evidence).toBe('real');
  });

  it.runIf(process.platform === 'linux')('is one that a shell can take', () => {
    const text = execFileSync('sh', ['-c', GROWN_LOOK], { encoding: 'utf8' });
    expect(readGrown(text)).toMatchObject({ fs: expect.any(Number), hostname: expect.stringMatching(/./) });
  });
});
