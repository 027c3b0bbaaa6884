/** The gates in Validate: how they stand, and their suites chosen at once. */
import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { Gate } from '../../preload/contract/parts.ts';
import { Validate } from '../../renderer/steps/validate/Validate.tsx';
import { fakeCanvas } from './canvas.ts';
import { FakeMain } from './main.ts';
import './matchers.ts';
import { boxOf, recorded } from './recordings.ts';
import { show } from './show.tsx';

fakeCanvas();
const before = [
  ...['preflight', 'keys', 'l0-fetch', 'l0-install', 'l0-health'],
  ...['l1-fetch', 'l1-install', 'l1-harden', 'l1-health'],
].map(recorded);

function withGates(gates: Gate[]) {
  const { standing } = boxOf(before);
  return new FakeMain().serve(boxOf(before, { standing: { ...standing, gates } }), before);
}

describe('the gates', () => {
  const gate = (id: 'ship' | 'production', suites: string[]) => ({
    ...{ id, suites, outcome: 'incomplete' as const },
    decision: { outcome: 'incomplete' as const, failures: [], missing: [], deviations: [] },
  });

  it('stand above the suites, and choose what of theirs can be run', async () => {
    const gates = [gate('ship', ['gpu-detection', 'pytorch-ddp']), gate('production', ['stress'])];
    const { user } = await show(Validate, withGates(gates));
    const box = within(screen.getByRole('region', { name: 'Gates' }));
    expect(box.getAllByRole('listitem').map((li) => li.textContent)).toEqual([
      expect.stringMatching(/^Ready to ship.*incomplete.*T1, T2; not now: T2/),
      expect.stringMatching(/^Ready for production.*T7; not now: T7/),
    ]);
    await user.click(screen.getByRole('checkbox', { name: 'T9 Roles' }));
    await user.click(box.getByRole('button', { name: 'Choose the suites of Ready to ship' }));
    screen.getByRole('checkbox', { name: 'T1 GPU detection', checked: true });
    screen.getByRole('checkbox', { name: 'T9 Roles', checked: false });
    const none = box.getByRole('button', { name: 'Choose the suites of Ready for production' });
    expect(none.hasAttribute('disabled')).toBe(true);
  });

  it('are left out where the profile names no suite for them', async () => {
    await show(Validate, withGates([gate('ship', [])]));
    expect(screen.queryByRole('region', { name: 'Gates' })).toBeNull();
  });
});
