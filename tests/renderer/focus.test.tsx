/** Where the focus is once a dialog is gone. */
import { act, screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Commands } from '../../renderer/components/Commands.tsx';
import { useReturnFocus } from '../../renderer/components/useReturnFocus.ts';
import { closeDialog, openDialog, useFrame } from '../../renderer/stores/frame.ts';
import { FakeMain } from './main.ts';
import { put } from './page.tsx';

function Page() {
  const open = useFrame((s) => s.dialog !== null);
  useReturnFocus(open);
  return (
    <>
      <button>One</button>
      <button>Two</button>
      {open && <Commands />}
    </>
  );
}

describe('a dialog that is closed', () => {
  it('gives the focus back to what had it', async () => {
    const { user } = await put(<Page />, new FakeMain());
    await user.tab();
    await user.tab();
    act(() => openDialog('commands'));
    const field = await screen.findByRole('combobox', { name: 'Command' });
    await waitFor(() => expect(document.activeElement).toBe(field));
    await user.keyboard('{Escape}');
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Two' }));
  });

  it('takes it from nobody who has it by then', async () => {
    const { user } = await put(<Page />, new FakeMain());
    await user.tab();
    act(() => openDialog('commands'));
    await screen.findByRole('combobox', { name: 'Command' });
    act(() => {
      screen.getByText('Two').focus();
      closeDialog();
    });
    expect(document.activeElement).toBe(screen.getByText('Two'));
  });
});
