/** Limits of charts out of a real profile, and what the bits of a slowed-down card say. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Profile } from '../../../preload/contract/profile.ts';
import { CHART_KINDS, thresholdsOf, throttleReasons } from '../../../preload/contract/telemetry.ts';

const profile = Profile.parse(JSON.parse(readFileSync('resources/profiles/two-h100.json', 'utf8')));

describe('limits', () => {
  it("are the profile's, each with its source, for fields that have a chart", () => {
    const all = thresholdsOf(profile);
    expect(Object.fromEntries(all.map((t) => [t.field, t.value]))).toEqual({
      'temperature.gpu': 60,
      'memory.used': 81559,
      'pcie.link.gen.current': 5,
      'pcie.link.width.current': 16,
    });
    for (const { field, source } of all) {
      expect(CHART_KINDS.map((k) => k.field)).toContain(field);
      expect(source.length).toBeGreaterThan(10);
    }
  });
});

describe('reasons of a slow clock', () => {
  it('are none at idle, with set clocks or without a reason', () => {
    for (const mask of [0x0, 0x1, 0x2, 0x10, 0x100]) expect(throttleReasons(mask)).toEqual([]);
  });
  it('are named, several at once too', () => {
    expect(throttleReasons(0x4)).toEqual(['power cap']);
    expect(throttleReasons(0x60 | 0x1)).toEqual(['heat (driver)', 'heat (hardware)']);
    expect(throttleReasons(0x88)).toEqual(['hardware slowdown', 'power brake']);
  });
});
