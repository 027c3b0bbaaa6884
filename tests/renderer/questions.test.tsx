/** What main waits for: a host key that is compared, and secrets that go to main and stay nowhere in the page. */
import { act, screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Questions } from '../../renderer/components/Questions.tsx';
import { FakeMain } from './main.ts';
import { put } from './page.tsx';
import { session } from './recordings.ts';

const SESSION = session().id;
const FINGERPRINT = 'SHA256:sAz9fQeKPs27BgSGCOJK+MSW+dF4VMvKPG2ABMCYsvc';
const ASK = 'a7a6e2d8-6a32-4d3c-9c55-0a5d2d6f1f10';
const OTHER = '5c1f5a0e-5f0e-4f8e-8f43-5d4b1f0c9a21';

async function asked() {
  const main = new FakeMain().answer('ask.answer', () => undefined);
  const page = await put(<Questions />, main);
  const hostKey = (algorithm = 'ssh-ed25519', ask = ASK) =>
    act(() =>
      main.tell('hostKey', {
        ask,
        session: SESSION,
        host: '192.168.10.20',
        algorithm,
        fingerprint: FINGERPRINT,
      }),
    );
  const secret = (name: string, ask = ASK) =>
    act(() =>
      main.tell('ask', { ask, session: SESSION, secret: name, prompt: `${name} (vaultadmin on VC-0042)` }),
    );
  return { ...page, main, hostKey, secret, answers: () => main.of('ask.answer') };
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });

describe('an unknown host key', () => {
  it.each([
    ['ssh-ed25519', 'ed25519'],
    ['ecdsa-sha2-nistp256', 'ecdsa'],
    ['ssh-rsa', 'rsa'],
  ])('of kind %s is shown with the command that shows it on the console', async (algorithm, kind) => {
    const { hostKey } = await asked();
    hostKey(algorithm);
    screen.getByText(FINGERPRINT);
    screen.getByText(`ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub`);
  });

  it('is confirmed once', async () => {
    const { user, hostKey, answers } = await asked();
    hostKey();
    await user.click(button(/It is the same/));
    expect(answers()).toEqual([{ ask: ASK, value: 'yes' }]);
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it.each([
    [
      'the button',
      async (user: { click: (b: Element) => Promise<void> }) => user.click(button(/It differs/)),
    ],
    ['Esc', async (user: { keyboard: (k: string) => Promise<void> }) => user.keyboard('{Escape}')],
  ])('is refused by %s', async (_by, refuse) => {
    const { user, hostKey, answers } = await asked();
    hostKey();
    await refuse(user);
    expect(answers()).toEqual([{ ask: ASK, value: null }]);
  });
});

describe('a secret', () => {
  it('goes to main by Enter and stays nowhere in the page', async () => {
    const { user, secret, answers } = await asked();
    secret('sudoPassword');
    expect(button('Go on')).toHaveProperty('disabled', true);
    await user.type(screen.getByLabelText(/^sudoPassword/), 'Correct-horse{Enter}');
    expect(answers()).toEqual([{ ask: ASK, value: 'Correct-horse' }]);
    expect(document.documentElement.outerHTML).not.toContain('Correct-horse');
  });

  it('that is new is typed twice, the same', async () => {
    const { user, secret, answers } = await asked();
    secret('newSudoPassword');
    await user.type(screen.getByLabelText(/^newSudoPassword/), 'Correct-horse');
    await user.type(screen.getByLabelText('The same again'), 'Correct-house');
    screen.getByText('The two differ.');
    await user.keyboard('{Enter}');
    expect(answers()).toEqual([]);
    await user.clear(screen.getByLabelText('The same again'));
    await user.type(screen.getByLabelText('The same again'), 'Correct-horse{Enter}');
    expect(answers()).toEqual([{ ask: ASK, value: 'Correct-horse' }]);
  });

  it('is refused by Cancel, and the next question comes with empty fields', async () => {
    const { user, secret, answers } = await asked();
    secret('passphrase');
    secret('sudoPassword', OTHER);
    await user.type(screen.getByLabelText(/^passphrase/), 'half');
    await user.click(button('Cancel'));
    expect(answers()).toEqual([{ ask: ASK, value: null }]);
    expect(screen.getByLabelText(/^sudoPassword/)).toHaveProperty('value', '');
    await user.type(screen.getByLabelText(/^sudoPassword/), 'x{Enter}');
    expect(answers().at(-1)).toEqual({ ask: OTHER, value: 'x' });
    expect(screen.queryByRole('dialog')).toBeNull();
  });
});

describe('a reboot', () => {
  const why = 'the new driver is loaded at boot (nvidia-open)';
  const wants = (main: FakeMain, seconds: number) =>
    act(() => main.tell('reboot', { ask: ASK, session: SESSION, box: 'VC-0042', why, seconds }));

  it.each([
    ['Reboot now', 'yes'],
    ['Not now', null],
  ])('is answered by "%s"', async (name, value) => {
    const { user, main, answers } = await asked();
    wants(main, 600);
    screen.getByText(/the new driver is loaded at boot \(nvidia-open\)\./);
    await user.click(button(name));
    expect(answers()).toEqual([{ ask: ASK, value }]);
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('is counted down and answers yes by itself; Esc stops nothing', async () => {
    const { user, main, answers } = await asked();
    wants(main, 1);
    screen.getByText('Reboots in 1 s.');
    await user.keyboard('{Escape}');
    screen.getByRole('dialog');
    await waitFor(() => expect(answers()).toEqual([{ ask: ASK, value: 'yes' }]), { timeout: 4000 });
    expect(screen.queryByRole('dialog')).toBeNull();
  });
});
