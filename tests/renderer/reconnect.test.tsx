/** Reconnect: what will happen, what main is told, and what was found of the system that was flashed. */
import { act, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Reconnect } from '../../renderer/steps/reconnect/Reconnect.tsx';
import type { Session } from '../../preload/contract/session.ts';
import { boxWith } from './boxes.ts';
import { FakeMain } from './main.ts';
import { recorded, session } from './recordings.ts';
import './matchers.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const KEY = `SHA256:${'B'.repeat(43)}`;
const done = [recorded('preflight'), recorded('keys')];
const flashed: Partial<Session> = {
  ...{ path: 'network', live: true, keys: null, address: { host: '192.168.10.20', port: 22 } },
  next: { hostname: 'vc-0042', address: null, fingerprint: KEY, layers: [0, 1] },
  firstBoot: { hostname: 'vc-0042', key: { kind: 'file', path: '/home/kim/vc' }, address: null },
};
const met: Partial<Session> = { path: 'network', live: false, next: null, claims: [0, 1] };

const button = (name: string) => screen.getByRole('button', { name });
const main = (change: Partial<Session>, recordings = done) =>
  new FakeMain().serve(boxWith(recordings, change), recordings);

describe('a system that was flashed', () => {
  it('is met where it is expected, by its host key; the key is the one of its settings', async () => {
    const fake = main(flashed).answer('box.meet', () => boxWith(done, met));
    const { user } = await show(Reconnect, fake);
    screen.getByText(KEY);
    screen.getByText('Take the stick out when its screen goes dark.');
    const address = screen.getByLabelText('Address');
    await user.clear(address);
    expect(button('Reboot and meet it')).toBeDisabledWith('Enter the address.');
    await user.type(address, '192.168.10.77');
    await user.click(button('Reboot and meet it'));
    expect(fake.of('box.meet')).toEqual([
      { session: SESSION, key: null, address: { host: '192.168.10.77', port: 22 } },
    ]);
    await screen.findByText("The image's manifest claims L0, L1.");
  });

  it('that was flashed from the command line wants its key named', async () => {
    const fake = main({ ...flashed, firstBoot: null }).answer('box.meet', () => boxWith(done, met));
    const { user } = await show(Reconnect, fake);
    expect(button('Reboot and meet it')).toBeDisabledWith('Choose the key.');
    await user.type(screen.getByLabelText('Private key'), '/home/kim/vc');
    await user.click(button('Reboot and meet it'));
    expect(fake.of('box.meet')).toMatchObject([{ key: { kind: 'file', path: '/home/kim/vc' } }]);
  });

  it('is waited for until somebody stops it, and an error says what to do', async () => {
    let fail = (_: unknown): void => undefined;
    const fake = main(flashed)
      .answer('box.meet', () => new Promise((_, reject) => (fail = reject)))
      .answer('box.stopMeeting', () => undefined);
    const { user } = await show(Reconnect, fake);
    await user.click(button('Reboot and meet it'));
    await user.click(button('Stop waiting'));
    expect(fake.of('box.stopMeeting')).toEqual([{ session: SESSION }]);
    const { AppError } = await import('../../preload/contract/errors.ts');
    act(() => fail(new AppError('first_boot_stopped', { box: 'VC-0042' })));
    await screen.findByText(/was stopped before the box was met/);
  });

  it('that no manifest says anything of tells which traces there were', async () => {
    await show(Reconnect, main({ ...met, claims: null }));
    screen.getByText('No manifest says which layers the image has, and there was no trace of one.');
    screen.getByText('Login with the key alone');
  });
});
