/** Why nothing can be recorded stays on every screen; what an act ended with can be dismissed. */
import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Problems } from '../../renderer/components/Problems.tsx';
import { FirstScreen } from '../../renderer/first/FirstScreen.tsx';
import { loadCards } from '../../renderer/stores/desk.ts';
import { attempt, loadLasting } from '../../renderer/stores/frame.ts';
import { FakeMain } from './main.ts';
import { put } from './page.tsx';
import { AppError } from '../../preload/contract/errors.ts';

const READ_ONLY = new AppError('journal_readonly', { path: '/data/journal.db' }).toReply();

describe('problems of no step', () => {
  it('what keeps the app from recording is not dismissed, nor told twice', async () => {
    const main = new FakeMain().answer('app.problem', () => READ_ONLY);
    main.refuse('boxes.list', 'journal_readonly', { path: '/data/journal.db' }).install();
    await loadLasting();
    await attempt(loadCards);
    await put(<Problems />, main);
    expect(screen.getAllByRole('alert')).toHaveLength(1);
    screen.getByText('The journal /data/journal.db cannot be written.');
    expect(screen.queryByRole('button', { name: 'Dismiss' })).toBeNull();
  });

  it('what an act ended with is told beside it, and goes', async () => {
    const main = new FakeMain().answer('app.problem', () => READ_ONLY);
    main.refuse('boxes.list', 'internal', { detail: 'a test' }).install();
    await loadLasting();
    await attempt(loadCards);
    const { user } = await put(<Problems />, main);
    expect(screen.getAllByRole('alert')).toHaveLength(2);
    await user.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(screen.getAllByRole('alert')).toHaveLength(1);
  });

  it('an app that could not begin says so on its first screen, and waits for nothing', async () => {
    const main = new FakeMain();
    for (const name of ['app.problem', 'boxes.list', 'practice.faults'] as const)
      main.refuse(name, 'journal_damaged', { path: '/data/journal.db', detail: 'a test' });
    main.install();
    await attempt(() => Promise.all([loadLasting(), loadCards()]));
    await put(<FirstScreen />, main);
    screen.getByText(/^The journal \/data\/journal\.db is damaged/);
    expect(screen.queryByText('Reading the journal…')).toBeNull();
  });
});
