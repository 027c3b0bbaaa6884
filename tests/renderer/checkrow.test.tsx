/** A check's row: what it shows closed, what it opens to, and what can be done with it. */
import { screen, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import type { StandingCheck } from '../../preload/contract/results.ts';
import { CheckRow } from '../../renderer/components/CheckRow.tsx';
import { FakeMain } from './main.ts';
import { put } from './page.tsx';
import { boxOf, recorded, session } from './recordings.ts';

const SESSION = session().id;
const all = ['preflight', 'keys', 'l0-fetch', 'l0-install', 'l0-health-failed'].map(recorded);
const box = boxOf(all);

function check(id: string, change: Partial<StandingCheck> = {}): StandingCheck {
  const { preflight, layers } = box.standing;
  const found = [preflight, ...layers].flatMap((p) => p.checks).find((c) => c.result.id === id);
  if (!found) throw new Error(`there is no check ${id}`);
  return { ...found, ...change };
}

const head = (name: RegExp) => screen.getByRole('button', { name });
const term = (name: string) => screen.getByText(name).nextSibling?.textContent;

describe('a check', () => {
  it('shows name, value with unit, threshold and verdict in a word, and keeps the rest for opening', async () => {
    const given = check('pf_free_space', {});
    const { user } = await put(<CheckRow session={SESSION} check={given} />, new FakeMain());
    const row = head(/Free space for the layers/);
    expect(row.textContent).toContain('pass');
    expect(row.textContent).toContain('77.8 GiB');
    expect(row.textContent).toContain('30 GiB or more');
    expect(row.getAttribute('aria-expanded')).toBe('false');
    expect(screen.queryByText(/budget of layers/)).toBeNull();
    await user.click(row);
    expect(row.getAttribute('aria-expanded')).toBe('true');
    expect(term('From')).toMatch(/^budget of layers 1 to 5/);
    expect(term('Counts as')).toBe('The profile wants it to pass.');
    expect(screen.getByLabelText('Evidence of Free space for the layers').textContent).toContain(
      '/var 77.8 GiB',
    );
  });

  it('says why there is no value, what to do now, and how often it ran', async () => {
    const given = check('pf_rtc', { times: 3, attempt: 2 });
    const was = { ...given.result, verdict: 'fail' as const, value: 3600, unit: 's', reason: null };
    const fake = new FakeMain().answer('box.attempts', () => [
      { job: given.job, attempt: 2, at: '2026-11-29T12:00:00Z', result: given.result },
      { job: given.job, attempt: 1, at: '2026-11-29T11:00:00Z', result: was },
    ]);
    const { user } = await put(<CheckRow session={SESSION} check={given} />, fake);
    const row = head(/Hardware clock/);
    expect(row.textContent).toContain('not run');
    expect(row.textContent).toContain('could not be read');
    await user.click(row);
    expect(term('Why')).toMatch(/^the hardware clock could not be read/);
    expect(term('Attempts')).toBe('run 3 times; this is the newest, of attempt 2');
    // What was found before is kept, and shown with what came of it.
    const list = await screen.findByRole('list', { name: 'Attempts, the newest first' });
    const items = within(list).getAllByRole('listitem');
    expect(items.map((i) => i.textContent)).toEqual([
      expect.stringContaining('not run'),
      expect.stringMatching(/fail.*3600 s$/),
    ]);
    expect(fake.of('box.attempts')).toEqual([{ session: SESSION, check: 'pf_rtc' }]);
  });

  it.each<[StandingCheck['expectation'], string]>([
    [
      { kind: 'expected', verdicts: ['not_supported'], context: 'a stand-in has none' },
      'The profile expects not supported: a stand-in has none.',
    ],
    [
      { kind: 'informative', why: 'captured from the same GPUs' },
      'It informs and decides nothing: captured from the same GPUs.',
    ],
  ])('says how it counts', async (expectation, words) => {
    const { user } = await put(
      <CheckRow session={SESSION} check={check('pf_kernel', { expectation })} />,
      new FakeMain(),
    );
    await user.click(head(/Kernel/));
    expect(term('Counts as')).toBe(words);
  });

  it('is waived with a name and a reason, never without', async () => {
    const main = new FakeMain().answer('box.waive', () => box);
    const { user } = await put(<CheckRow session={SESSION} check={check('l0_ansible')} />, main);
    await user.click(head(/Ansible on the box answers/));
    expect(term('Do now')).toBe('Run layer 0 again.');
    await user.click(screen.getByRole('button', { name: 'Waive…' }));
    const dialog = within(screen.getByRole('dialog'));
    const waive = dialog.getByRole('button', { name: 'Waive' });
    expect(waive).toHaveProperty('disabled', true);
    await user.type(dialog.getByLabelText('Your name'), 'Kim');
    await user.type(dialog.getByLabelText('Reason'), '   ');
    expect(waive).toHaveProperty('disabled', true);
    await user.type(dialog.getByLabelText('Reason'), 'customer agreed');
    await user.click(waive);
    expect(main.of('box.waive')).toEqual([
      { session: SESSION, check: 'l0_ansible', name: 'Kim', reason: 'customer agreed', remove: false },
    ]);
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('says why a waiver did not work, in the dialog', async () => {
    const main = new FakeMain().refuse('box.waive', 'journal_busy', { path: 'journal.db', seconds: 5 });
    const { user } = await put(<CheckRow session={SESSION} check={check('l0_ansible')} />, main);
    await user.click(head(/Ansible on the box answers/));
    await user.click(screen.getByRole('button', { name: 'Waive…' }));
    const dialog = within(screen.getByRole('dialog'));
    await user.type(dialog.getByLabelText('Your name'), 'Kim');
    await user.type(dialog.getByLabelText('Reason'), 'customer agreed');
    await user.click(dialog.getByRole('button', { name: 'Waive' }));
    dialog.getByRole('alert');
  });

  it('keeps its verdict when it is waived, and the waiver can be taken back', async () => {
    const waiver = {
      check: 'l0_ansible',
      name: 'Kim',
      reason: 'customer agreed',
      at: '2026-11-24T20:00:00Z',
    };
    const main = new FakeMain().answer('box.waive', () => box);
    const { user } = await put(<CheckRow session={SESSION} check={check('l0_ansible', { waiver })} />, main);
    const row = head(/Ansible on the box answers/);
    expect(row.textContent).toContain('fail');
    expect(row.textContent).toContain('waived');
    await user.click(row);
    expect(term('Waived')).toMatch(/^by Kim, .*: customer agreed$/);
    expect(screen.queryByRole('button', { name: 'Waive…' })).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Take the waiver back' }));
    expect(main.of('box.waive')).toMatchObject([{ check: 'l0_ansible', remove: true }]);
  });

  it('offers no waiver for what did not fail, and none for a blocker, which is open at once', async () => {
    const { user, rerender } = await put(
      <CheckRow session={SESSION} check={check('pf_uid1000')} />,
      new FakeMain(),
    );
    await user.click(head(/UID 1000/));
    expect(screen.queryByRole('button', { name: 'Waive…' })).toBeNull();
    rerender(<div />);
    const failed = check('pf_clock');
    const blocker = { ...failed, result: { ...failed.result, verdict: 'fail' as const } };
    await put(<CheckRow session={SESSION} check={blocker} blocker />, new FakeMain());
    expect(head(/Clock/).getAttribute('aria-expanded')).toBe('true');
    expect(term('Counts as')).toMatch(/^A blocker/);
    expect(screen.queryByRole('button', { name: 'Waive…' })).toBeNull();
  });

  it('runs again where that is possible', async () => {
    const again = vi.fn();
    const { user } = await put(
      <CheckRow session={SESSION} check={check('pf_kernel')} onRerun={again} />,
      new FakeMain(),
    );
    await user.click(head(/Kernel/));
    await user.click(screen.getByRole('button', { name: 'Re-run' }));
    expect(again).toHaveBeenCalledExactlyOnceWith('pf_kernel');
  });
});
