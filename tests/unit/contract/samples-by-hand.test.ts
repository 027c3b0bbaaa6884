/** Samples are read by hand where they are as the schemas want them: it must make no difference. */
import { describe, expect, it } from 'vitest';
import { Envelope, EVENT_BODIES, parseEvent } from '../../../preload/contract/events.ts';

const LINE = {
  ...{ v: 1, job: '1cfd593e-5d19-489c-9a0a-154b89ae31cb', attempt: 1, seq: 7, boot: 'b', mono: 1.5, t: 't' },
  ...{ kind: 'samples', prev: 'a'.repeat(64), evidence: 'real', source: 'gpu', fields: ['x', 'y'] },
  ...{
    rows: [
      [1, 0, 2, null],
      [1, 'gpu-1', 'text', 3.5],
    ],
    more: { deep: [1] },
  },
} satisfies Record<string, unknown>;

/** By the schemas alone, as it was before. */
function bySchema(text: string): unknown {
  const env = Envelope.parse(JSON.parse(text));
  const body = EVENT_BODIES.samples.safeParse(env);
  return body.success
    ? { known: true, kind: env.kind, env, body: body.data }
    : { known: false, kind: env.kind, env };
}

const outcome = (read: () => unknown): unknown => {
  try {
    const event = read() as { why?: string };
    const { why: _why, ...rest } = event;
    return rest;
  } catch {
    return 'refused';
  }
};

const WRONG: unknown[] = [
  ...[undefined, null, true, '', 'x', 0, -1, 1.5, 2 ** 60, [], {}, [[]], [[1]], [[1, 2, {}]], [1]],
  ...['0cfd593e-5d19-489c-9a0a-154b89ae31cb', 'practice', 'a'.repeat(63), 'A'.repeat(64), ['a', 1]],
];

describe('a line of samples', () => {
  it.each(Object.keys(LINE))('with any other %s is taken or refused as by the schemas', (field) => {
    for (const value of WRONG) {
      const text = JSON.stringify({ ...LINE, [field]: value });
      if (JSON.parse(text).kind !== 'samples') continue;
      expect(
        outcome(() => parseEvent(text)),
        text,
      ).toEqual(outcome(() => bySchema(text)));
    }
  });

  it('with a number that JSON cannot hold is refused', () => {
    const text = JSON.stringify(LINE).replace('"mono":1.5', '"mono":1e999');
    expect(outcome(() => parseEvent(text))).toBe('refused');
    const row = JSON.stringify(LINE).replace('3.5]', '1e999]');
    expect(outcome(() => parseEvent(row))).toEqual(outcome(() => bySchema(row)));
  });
});
