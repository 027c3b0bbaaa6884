/** Preflight: what the box is, blockers on top, every check under its heading. */
import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Preflight } from '../../renderer/steps/preflight/Preflight.tsx';
import { boxWith, BEFORE_KEYS, withCheck } from './boxes.ts';
import { FakeMain } from './main.ts';
import { recorded, session } from './recordings.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const seen = recorded('preflight');
const CLOCK = { verdict: 'fail' as const, value: '3 h behind', nextAction: 'Set the clock.' };
const button = (name: string | RegExp) => screen.getByRole('button', { name });

describe('before the first look', () => {
  it('looks on request, and shows what it found', async () => {
    const main = new FakeMain()
      .serve(boxWith([], BEFORE_KEYS), [seen])
      .answer('box.inspect', () => boxWith([seen], BEFORE_KEYS));
    const { user } = await show(Preflight, main);
    screen.getByText(/It changes nothing there\.$/);
    await user.click(button('Look at the box'));
    expect(main.of('box.inspect')).toEqual([{ session: SESSION, setClock: false }]);
    const facts = within(screen.getByRole('region', { name: 'The box' }));
    await facts.findByText('AMD EPYC, 2 cores');
    expect(facts.getAllByText(/^NVIDIA H100 80GB HBM3, 80 GiB, serial/)).toHaveLength(2);
    expect(button('Next: Keys')).toHaveProperty('disabled', false);
    button('Look again');
  });

  it.each([
    [null, 'Not connected: go to Connect first.'],
    ['reconnecting' as const, 'Waits for the link to come back.'],
  ])('waits for the link and says so', async (state, words) => {
    const link = { state, detail: '', rttMs: null };
    await show(Preflight, new FakeMain().serve(boxWith([], BEFORE_KEYS, { link }), []));
    screen.getByText(words);
    expect(button('Look at the box')).toHaveProperty('disabled', true);
  });

  it('shows the error of a look above everything', async () => {
    const main = new FakeMain().serve(boxWith([], BEFORE_KEYS), []).refuse('box.inspect', 'python_missing');
    const { user } = await show(Preflight, main);
    await user.click(button('Look at the box'));
    expect(screen.getByRole('alert').textContent).toContain('There is no python3 on the box.');
  });
});

describe('after a look', () => {
  const serve = (...recordings: [typeof seen]) =>
    new FakeMain().serve(boxWith(recordings, BEFORE_KEYS), recordings);

  it('has every check once, under a heading', async () => {
    const { user } = await show(Preflight, serve(seen));
    const groups = ['Access', 'System', 'Machine', 'GPUs'].map((name) =>
      screen.getByRole('region', { name }),
    );
    expect(screen.queryByRole('region', { name: 'Other' })).toBeNull();
    for (const group of groups) {
      const head = within(group).getAllByRole('button')[0] as HTMLElement;
      if (head.getAttribute('aria-expanded') === 'false') await user.click(head);
    }
    const shown = Array.from(document.querySelectorAll('[data-check]'), (e) => e.getAttribute('data-check'));
    const checks = boxWith([seen], BEFORE_KEYS).standing.preflight.checks.map((c) => c.result.id);
    expect(shown.toSorted()).toEqual(checks.toSorted());
    expect(new Set(shown).size).toBe(shown.length);
  });

  it('keeps a calm group closed and opens one in which something is not right', async () => {
    const calm = withCheck(seen, 'pf_uid1000', { verdict: 'pass' });
    await show(Preflight, serve(calm));
    const access = within(screen.getByRole('region', { name: 'Access' }));
    expect(access.getByRole('button').getAttribute('aria-expanded')).toBe('false');
    expect(access.getByRole('button').textContent).toContain('4 ✓pass');
    const machine = within(screen.getByRole('region', { name: 'Machine' }));
    machine.getByText('Kind of machine');
  });

  it('puts blockers on top, opened, and sets a wrong clock', async () => {
    const wrong = withCheck(seen, 'pf_clock', CLOCK);
    const main = serve(wrong).answer('box.inspect', () => boxWith([seen], BEFORE_KEYS));
    const { user } = await show(Preflight, main);
    const blockers = within(screen.getByRole('region', { name: '1 blocker' }));
    blockers.getByText('Set the clock.');
    const first = screen.getAllByRole('region').map((r) => r.getAttribute('aria-labelledby'));
    expect(first.indexOf('blockers')).toBeLessThan(first.indexOf('facts'));
    button('Look again');
    await user.click(blockers.getByRole('button', { name: 'Set clock from this laptop' }));
    expect(main.of('box.inspect')).toEqual([{ session: SESSION, setClock: true }]);
    expect(screen.queryByRole('region', { name: '1 blocker' })).toBeNull();
  });

  it('offers no clock where the clock is not what blocks', async () => {
    const full = withCheck(seen, 'pf_free_space', { verdict: 'fail', value: '2 GiB' });
    await show(Preflight, serve(full));
    screen.getByRole('region', { name: '1 blocker' });
    expect(screen.queryByRole('button', { name: 'Set clock from this laptop' })).toBeNull();
  });
});
