/** The rate of a job's progress, out of the lines of a real fetch. */
import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../../preload/contract/events.ts';
import { rateOf } from '../../../preload/contract/rate.ts';
import { recorded } from '../../renderer/recordings.ts';

const events = recorded('l1-fetch').lines.map(parseEvent);
const upTo = (seq: number) => events.filter((e) => e.env.seq <= seq);

describe('the rate of a fetch', () => {
  it('is unknown before a second has passed', () => {
    expect(rateOf([])).toBeNull();
    expect(rateOf(upTo(9))).toBeNull();
    expect(rateOf(upTo(10))).toBeNull();
  });

  it('is what came within the window', () => {
    // seq 9: 8,027 bytes at 2825.951393; seq 11: 115,195,853 at 2826.96034
    const rate = rateOf(upTo(11));
    expect(rate?.perSecond).toBeCloseTo((115195853 - 8027) / (2826.96034 - 2825.951393), 0);
    expect(rate?.remainingSeconds).toBeCloseTo((204327896 - 115195853) / (rate?.perSecond ?? NaN), 3);
  });

  it('falls while nothing comes, and then says nothing of the rest', () => {
    const last = upTo(11).at(-1);
    if (!last) throw new Error('no events');
    const beat = (seconds: number) => ({
      known: true as const,
      kind: 'beat' as const,
      env: { ...last.env, seq: last.env.seq + 1, mono: last.env.mono + seconds },
      body: { step: 'files', quietSeconds: seconds },
    });
    expect(rateOf([...upTo(11), beat(4)])?.perSecond).toBeLessThan(30e6);
    expect(rateOf([...upTo(11), beat(20)])).toMatchObject({ perSecond: 0, remainingSeconds: null });
  });

  it('begins anew with the next step', () => {
    expect(rateOf(upTo(15))).toBeNull();
  });
});
