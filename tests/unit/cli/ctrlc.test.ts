/** What Ctrl+C means to a command that would lose something by it, and what keeps the laptop awake. */
import { describe, expect, it } from 'vitest';
import { awake, inhibitor } from '../../../main/cli/awake.ts';
import { onInterrupt } from '../../../main/cli/ctrlc.ts';

function pressed({
  interactive = true,
  costs = 'It costs.',
}: { interactive?: boolean; costs?: string | null } = {}) {
  const told: string[] = [];
  let stops = 0;
  let at = 0;
  const press = onInterrupt({
    ...{ interactive, losses: () => costs, tell: (text: string) => void told.push(text), now: () => at },
    stop: () => (stops += 1),
  });
  return { press, told, stops: () => stops, later: (ms: number) => (at += ms) };
}

describe('Ctrl+C', () => {
  it('says first what it costs, and stops at the second one', () => {
    const { press, told, stops, later } = pressed();
    expect([press(), stops()]).toEqual([false, 0]);
    expect(told).toEqual(['It costs. Press Ctrl+C once more within 10 s to stop it; otherwise it goes on.']);
    later(9_000);
    expect([press(), stops(), told.length]).toEqual([true, 1, 1]);
  });

  it('asks again where the first one is long past', () => {
    const { press, told, stops, later } = pressed();
    press();
    later(11_000);
    expect([press(), stops(), told.length]).toEqual([false, 0, 2]);
  });

  it.each([
    ['costs nothing', { costs: null }],
    ['nobody reads what is said', { interactive: false }],
  ])('stops at once where it %s', (_, given) => {
    const { press, told, stops } = pressed(given);
    expect([press(), stops(), told]).toEqual([true, 1, []]);
  });
});

describe('a laptop that feeds', () => {
  it('is kept awake by the program of its system, which ends with this process', () => {
    expect(inhibitor('linux', 7)).toEqual([
      'systemd-inhibit',
      expect.arrayContaining(['--mode=block', 'cat']),
    ]);
    expect(inhibitor('darwin', 7)).toEqual(['caffeinate', ['-i', '-w', '7']]);
    expect(inhibitor('win32', 7)).toBeNull();
  });

  it('goes on where nothing can keep it awake', async () => {
    const path = process.env['PATH'];
    const notes: string[] = [];
    process.env['PATH'] = '/nowhere';
    try {
      const wait = () => new Promise<string>((resolve) => setTimeout(() => resolve('fed'), 200));
      expect(await awake(wait, (text) => notes.push(text))).toBe('fed');
    } finally {
      process.env['PATH'] = path;
    }
    expect(notes).toEqual(['Nothing keeps this laptop from going to sleep: see that it stays awake.']);
  });
});
