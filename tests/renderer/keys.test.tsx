/** Keys: what has to be given before it begins, what main is told, and what was proven. */
import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Keys } from '../../renderer/steps/keys/Keys.tsx';
import { boxWith, BEFORE_KEYS } from './boxes.ts';
import { FakeMain } from './main.ts';
import { recorded, runOf, session } from './recordings.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const seen = recorded('preflight');
const done = [seen, recorded('keys')];
const free = { ...seen, lines: seen.lines.map((l) => l.replace('"uid1000":"installer"', '"uid1000":null')) };
const LINE = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKx customer';
const CUSTOMER = { line: LINE, type: 'ssh-ed25519', fingerprint: 'SHA256:customer', comment: 'customer' };

const button = (name: string | RegExp) => screen.getByRole('button', { name });
const password = () => screen.getByLabelText(/^New sudo password/);
const again = () => screen.getAllByLabelText('The same again').at(-1) as HTMLElement;

const main = (recording = free) =>
  new FakeMain()
    .serve(boxWith([recording], BEFORE_KEYS), [recording, ...done])
    .answer('box.keys', () => boxWith(done, {}));

describe('setting up keys', () => {
  it('wants a sudo password, twice the same, and makes a key by default', async () => {
    const fake = main();
    const { user } = await show(Keys, fake);
    expect(button('Set up keys')).toHaveProperty('disabled', true);
    await user.type(password(), 'Right-horse-7');
    expect(button('Set up keys')).toHaveProperty('disabled', true);
    await user.type(again(), 'Right-horse-7');
    await user.click(button('Set up keys'));
    expect(fake.of('box.keys')).toEqual([
      {
        session: SESSION,
        choice: { kind: 'generate' },
        newSudoPassword: 'Right-horse-7',
        customerKeys: [],
        uid: null,
      },
    ]);
    expect(screen.getAllByText(/^proven /)).toHaveLength(2);
    expect(document.documentElement.outerHTML).not.toContain('Right-horse-7');
  });

  it('takes a passphrase only when both fields agree', async () => {
    const fake = main();
    const { user } = await show(Keys, fake);
    await user.type(password(), 'pw');
    await user.type(again(), 'pw');
    await user.type(screen.getByLabelText('Passphrase (optional)'), 'one');
    expect(button('Set up keys')).toHaveProperty('disabled', true);
    await user.type(screen.getAllByLabelText('The same again')[0] as HTMLElement, 'one');
    await user.click(button('Set up keys'));
    expect(fake.of('box.keys')).toMatchObject([{ choice: { kind: 'generate', passphrase: 'one' } }]);
  });

  it('takes a key file instead', async () => {
    const fake = main();
    const { user } = await show(Keys, fake);
    await user.click(screen.getByRole('radio', { name: 'Key file' }));
    await user.type(password(), 'pw');
    await user.type(again(), 'pw');
    expect(button('Set up keys')).toHaveProperty('disabled', true);
    await user.type(screen.getByLabelText('Private key'), '/home/kim/id');
    await user.click(button('Set up keys'));
    expect(fake.of('box.keys')).toMatchObject([{ choice: { kind: 'file', path: '/home/kim/id' } }]);
  });

  it.each([
    [/^Give it to vaultadmin/, 'swap'],
    [/^Leave it with installer/, 'keep'],
  ])('has UID 1000 decided where installer has it', async (choice, uid) => {
    const fake = main(seen);
    const { user } = await show(Keys, fake);
    await user.type(password(), 'pw');
    await user.type(again(), 'pw');
    screen.getByText('UID 1000 belongs to installer');
    expect(button('Set up keys')).toHaveProperty('disabled', true);
    await user.click(screen.getByRole('radio', { name: choice }));
    await user.click(button('Set up keys'));
    expect(fake.of('box.keys')).toMatchObject([{ uid }]);
  });

  it('asks about UID 1000 when only the box knows that it is taken, and keeps what was entered', async () => {
    const fake = main().refuse('box.keys', 'uid_taken', { holder: 'kim' });
    const { user } = await show(Keys, fake);
    await user.type(password(), 'pw');
    await user.type(again(), 'pw');
    await user.click(button('Set up keys'));
    expect(screen.getByRole('alert').textContent).toContain('UID 1000 belongs to kim');
    expect(button('Set up keys')).toHaveProperty('disabled', true);
    await user.click(screen.getByRole('radio', { name: /^Leave it with/ }));
    await user.click(button('Set up keys'));
    expect(fake.of('box.keys')).toMatchObject([{ uid: null }, { uid: 'keep', newSudoPassword: 'pw' }]);
  });

  it("adds the customer's keys, pasted or out of a file, each once, and leaves one out again", async () => {
    const fake = main()
      .answer('keys.public', () => [CUSTOMER])
      .answer('pick.file', () => '/media/kim/customer.pub');
    const { user } = await show(Keys, fake);
    await user.type(password(), 'pw');
    await user.type(again(), 'pw');
    await user.type(screen.getByLabelText('Public keys'), LINE);
    await user.click(button('Add'));
    await user.click(button('From a file…'));
    expect(fake.of('keys.public')).toEqual([
      { from: 'text', text: LINE },
      { from: 'file', path: '/media/kim/customer.pub' },
    ]);
    expect(screen.getAllByText('SHA256:customer')).toHaveLength(1);
    await user.click(button('Leave out customer'));
    expect(screen.queryByText('SHA256:customer')).toBeNull();
    await user.click(button('From a file…'));
    await user.click(button('Set up keys'));
    expect(fake.of('box.keys')).toMatchObject([{ customerKeys: [LINE] }]);
  });

  it('says at the keys what is no public key, and keeps the text', async () => {
    const fake = main().refuse('keys.public', 'key_not_public', { path: 'What was pasted' });
    const { user } = await show(Keys, fake);
    await user.type(screen.getByLabelText('Public keys'), 'nonsense');
    await user.click(button('Add'));
    expect(screen.getByRole('alert').textContent).toContain('What was pasted holds no public SSH keys.');
    expect(screen.getByLabelText('Public keys')).toHaveProperty('value', 'nonsense');
  });
});

describe('without a connection', () => {
  it('waits for it and says so: what logged in first is needed once more', async () => {
    const link = { state: null, detail: 'not connected', rttMs: null };
    const { user } = await show(Keys, new FakeMain().serve(boxWith([free], BEFORE_KEYS, { link }), [free]));
    await user.type(password(), 'pw');
    await user.type(again(), 'pw');
    screen.getByText('Not connected: go to Connect first.');
    expect(button('Set up keys')).toHaveProperty('disabled', true);
  });
});

describe('with keys set up', () => {
  const serve = (...given: Parameters<typeof boxWith>) =>
    new FakeMain().serve(boxWith(...given), done).answer('box.keys', () => boxWith(done, {}));

  it('shows the proofs and the way on; changing something keeps the key and the password', async () => {
    const fake = serve(done, {});
    const { user } = await show(Keys, fake);
    screen.getByText('Login with the key alone');
    expect(button('Next: Provision')).toHaveProperty('disabled', false);
    await user.click(button(/^Change key, password/));
    await user.click(button('Set up again'));
    const { keys } = session();
    if (keys?.reference.kind !== 'file') throw new Error('the recording has no key file');
    expect(fake.of('box.keys')).toEqual([
      { session: SESSION, choice: { kind: 'file', path: keys.reference.path }, customerKeys: [], uid: null },
    ]);
  });

  it('says what was not proven, and names a kept UID', async () => {
    const { keys } = session();
    if (!keys) throw new Error('the recording has no keys');
    const uidDeviation = 'vaultadmin has UID 1001; 1000 belongs to kim';
    await show(Keys, serve(done, { keys: { ...keys, sudoProvenAt: null, adminUid: 1001, uidDeviation } }));
    screen.getByText(/^not proven: sudo did not ask/);
    screen.getByText(uidDeviation);
  });

  it('goes on with a swap of the UID that was interrupted', async () => {
    const [, keys] = done;
    const run = { ...runOf('provision', keys ? [keys] : [], null), command: 'uid-swap' as const };
    const fake = serve(done, { run }, { resumable: true, following: false }).answer('box.resume', () => ({
      outcome: 'passed',
    }));
    const { user } = await show(Keys, fake);
    await user.click(button('Resume'));
    expect(fake.of('box.resume')).toEqual([{ session: SESSION }]);
  });
});
