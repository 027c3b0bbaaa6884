/** Connect: who logs in with what, and a host key that is not the pinned one. */
import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Connect } from '../../renderer/steps/connect/Connect.tsx';
import { useDesk } from '../../renderer/stores/desk.ts';
import { useFrame } from '../../renderer/stores/frame.ts';
import { boxWith, NEW } from './boxes.ts';
import { flashBox, flashed } from './flashing.ts';
import { FakeMain } from './main.ts';
import './matchers.ts';
import { recorded, session } from './recordings.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const NOT = { state: null, detail: 'not connected', rttMs: null };
const fresh = boxWith([], NEW, { link: NOT });
const connected = boxWith([], { ...NEW, hostKey: session().hostKey });
const button = (name: string | RegExp) => screen.getByRole('button', { name });

const main = (box = fresh) =>
  new FakeMain()
    .serve(box, [])
    .answer('profiles.list', () => [{ id: 'two-h100', title: 'Two H100' }])
    .answer('box.connect', () => connected);

describe('the first login', () => {
  it('by password: by Enter, then the link and the pinned key are shown', async () => {
    const fake = main();
    const { user } = await show(Connect, fake);
    expect(button('Connect')).toHaveProperty('disabled', true);
    await user.type(screen.getByLabelText('Password of installer'), 'old-secret{Enter}');
    expect(fake.of('box.connect')).toEqual([
      { session: SESSION, login: { kind: 'password', password: 'old-secret' } },
    ]);
    screen.getByText('installer, for the first set-up');
    screen.getByText(session().hostKey?.fingerprint ?? '');
    expect(screen.queryByRole('button', { name: 'Connect' })).toBeNull();
    expect(button('Next: Preflight')).toHaveProperty('disabled', false);
    expect(document.documentElement.outerHTML).not.toContain('old-secret');
  });

  it('by a key file, picked or typed, with its passphrase where it has one', async () => {
    const fake = main().answer('pick.file', () => '/home/kim/.ssh/id_ed25519');
    const { user } = await show(Connect, fake);
    await user.click(screen.getByRole('radio', { name: 'Key file' }));
    await user.click(button('Browse…'));
    await user.type(screen.getByLabelText('Passphrase of the key'), 'opens');
    await user.click(button('Connect'));
    expect(fake.of('pick.file')).toEqual([{ what: 'privateKey' }]);
    expect(fake.of('box.connect')).toEqual([
      { session: SESSION, login: { kind: 'key', path: '/home/kim/.ssh/id_ed25519', passphrase: 'opens' } },
    ]);
  });

  it('by one key of the agent, chosen when there are several', async () => {
    const key = (fingerprint: string) => ({
      fingerprint,
      type: 'ssh-ed25519',
      comment: `key ${fingerprint}`,
    });
    const fake = main().answer('agent.keys', () => [key('SHA256:a'), key('SHA256:b')]);
    const { user } = await show(Connect, fake);
    await user.click(screen.getByRole('radio', { name: 'SSH agent' }));
    expect(button('Connect')).toHaveProperty('disabled', true);
    await user.click(screen.getByRole('radio', { name: /SHA256:b/ }));
    await user.click(button('Connect'));
    expect(fake.of('box.connect')).toMatchObject([{ login: { kind: 'agent', fingerprint: 'SHA256:b' } }]);
  });

  it('says what is wrong with the agent where there is none', async () => {
    const { user } = await show(Connect, main().refuse('agent.keys', 'agent_missing'));
    await user.click(screen.getByRole('radio', { name: 'SSH agent' }));
    expect(screen.getByRole('alert').textContent).toContain('No SSH agent answers on this laptop.');
  });

  it('that was refused says so, and is tried again only by hand', async () => {
    const fake = main().refuse('box.connect', 'login_password_wrong', { user: 'installer' });
    const { user } = await show(Connect, fake);
    await user.type(screen.getByLabelText('Password of installer'), 'wrong{Enter}');
    expect(screen.getByRole('alert').textContent).toContain('The box refused the password of installer.');
    expect(fake.of('box.connect')).toHaveLength(1);
  });
});

describe('a host key that has changed', () => {
  it('stops everything, is explained, and is forgotten on request only', async () => {
    const facts = { host: '192.168.10.20', pinned: 'SHA256:old', fingerprint: 'SHA256:new', box: 'VC-0042' };
    const fake = main().refuse('box.connect', 'host_key_changed', facts);
    const { user } = await show(Connect, fake);
    await user.type(screen.getByLabelText('Password of installer'), 'secret{Enter}');
    const [error] = screen.getAllByRole('alert');
    within(error as HTMLElement).getByText(/Pinned: SHA256:old. Presented now: SHA256:new/);
    screen.getByText('The box was installed or flashed anew.');
    screen.getByText('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
    expect(fake.of('box.forgetHostKey')).toEqual([]);
    await user.click(button('Forget host key…'));
    expect(useFrame.getState().dialog).toBe('forgetHostKey');
  });
});

describe('a box that has its keys', () => {
  const all = ['preflight', 'keys'].map(recorded);

  it('is logged in to with its own key, without anything to enter', async () => {
    const fake = main(boxWith(all, {}, { link: NOT }));
    const { user } = await show(Connect, fake);
    screen.getByText(session().keys?.fingerprint ?? '');
    expect(screen.queryByLabelText('Passphrase of the key')).toBeNull();
    await user.click(button('Connect'));
    expect(fake.of('box.connect')).toEqual([{ session: SESSION, login: { kind: 'session' } }]);
  });

  it('asks for the passphrase of a locked key that main does not have', async () => {
    const keys = session().keys;
    if (!keys) throw new Error('the recording has no keys');
    const locked = { ...keys, reference: { kind: 'file' as const, path: '/k', encrypted: true } };
    const fake = main(boxWith(all, { keys: locked }, { link: NOT }));
    const { user } = await show(Connect, fake);
    await user.type(screen.getByLabelText('Passphrase of the key'), 'opens{Enter}');
    expect(fake.of('box.connect')).toEqual([
      { session: SESSION, login: { kind: 'session', passphrase: 'opens' } },
    ]);
  });

  it('may get another address, but no other user or profile', async () => {
    const fake = main(boxWith(all, {}, { link: NOT })).answer('box.change', () => boxWith(all, {}));
    const { user } = await show(Connect, fake);
    await user.click(button('Change…'));
    expect(screen.getByLabelText('User')).toHaveProperty('disabled', true);
    expect(screen.getByRole('combobox', { name: 'Profile' })).toHaveProperty('disabled', true);
    await user.clear(screen.getByLabelText('Address'));
    await user.type(screen.getByLabelText('Address'), '10.0.0.7{Enter}');
    expect(fake.of('box.change')).toMatchObject([{ session: SESSION, host: '10.0.0.7', port: 22 }]);
    expect(useDesk.getState().box?.link.state).toBe('live');
  });
});

describe('a box whose disk was flashed', () => {
  it('gets its address first, found on the cable or typed; only then it is logged in to', async () => {
    const found = {
      address: '192.168.10.20',
      port: 22,
      interface: 'eth0',
      banner: 'SSH-2.0',
      by: 'arp',
      name: null,
    };
    const fake = main(flashBox([flashed()]))
      .answer('boxes.find', () => [found])
      .answer('box.change', () => fresh);
    const { user } = await show(Connect, fake);
    expect(button('Connect')).toBeDisabledWith('Save the address first.');
    expect(screen.queryByRole('button', { name: 'Leave as it is' })).toBeNull();
    await user.click(button('Look along the cable'));
    await user.click(await screen.findByRole('button', { name: /^192\.168\.10\.20/ }));
    await user.type(screen.getByLabelText('User'), 'installer');
    await user.click(button('Save'));
    expect(fake.of('box.change')).toEqual([
      { session: SESSION, host: '192.168.10.20', port: 22, user: 'installer', profile: session().profile },
    ]);
    screen.getByLabelText('Password of installer');
  });
});
