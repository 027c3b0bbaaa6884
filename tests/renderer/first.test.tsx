/** The first screen: nothing known, boxes known, finding one on the cable; never without a next action. */
import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { BoxCard, FoundBox } from '../../preload/contract/calls.ts';
import { FirstScreen } from '../../renderer/first/FirstScreen.tsx';
import { loadCards, useDesk } from '../../renderer/stores/desk.ts';
import { useFrame } from '../../renderer/stores/frame.ts';
import { goToLastPlace, keepPlace } from '../../renderer/stores/place.ts';
import { boxWith, NEW } from './boxes.ts';
import { flashBox } from './flashing.ts';
import { FakeMain } from './main.ts';
import { put } from './page.tsx';
import { boxOf, recorded, runOf, session } from './recordings.ts';

const SESSION = session().id;
const card = (more: Partial<BoxCard> = {}): BoxCard => ({
  session: SESSION,
  name: 'VC-0042',
  address: '192.168.10.20 port 22',
  profile: 'two-h100',
  practice: false,
  state: 'stopped in "Provision L0, L1"',
  resumable: true,
  changedAt: '2026-11-23T20:28:27.163Z',
  ...more,
});

async function first(cards: BoxCard[], main = new FakeMain()) {
  main
    .answer('boxes.list', () => cards)
    .answer('practice.faults', () => [{ id: 'layer', title: 'A layer fails' }])
    .answer('profiles.list', () => [
      { id: 'vault-cube', title: 'Vault Cube' },
      { id: 'two-h100', title: 'Two H100' },
    ]);
  main.install();
  await loadCards();
  return { ...(await put(<FirstScreen />, main)), main };
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });
const newBox = boxWith([], NEW);

describe('with no box known', () => {
  it('offers to begin with one, to practise, and to open a report', async () => {
    await first([]);
    screen.getByText(/^No box is known to this laptop yet/);
    expect(button('Begin')).toHaveProperty('disabled', true);
    button('Look along the cable');
    button('Practice box');
    button('Open report…');
    button('About');
    expect(screen.queryByRole('button', { name: 'Back' })).toBeNull();
  });

  it('begins with what was entered, and refuses a name that cannot be one', async () => {
    const { user, main } = await first([]);
    main.serve(newBox, []).answer('boxes.create', () => ({ session: SESSION }));
    await user.type(screen.getByLabelText('Name'), 'VC 42');
    screen.getByText('Letters, digits, dot, dash and underscore.');
    await user.clear(screen.getByLabelText('Name'));
    await user.type(screen.getByLabelText('Name'), 'VC-0042');
    await user.type(screen.getByLabelText('Address'), ' 192.168.10.20 ');
    expect(button('Begin')).toHaveProperty('disabled', true);
    await user.type(screen.getByLabelText('User'), 'installer{Enter}');
    expect(main.of('boxes.create')).toEqual([
      {
        ...{ path: 'provision', name: 'VC-0042', profile: 'vault-cube' },
        ...{ host: '192.168.10.20', port: 22, user: 'installer' },
      },
    ]);
    expect(useDesk.getState()).toMatchObject({ step: 'connect', box: { session: { id: SESSION } } });
  });

  it('asks for the path first: a disk that is flashed here needs no address yet', async () => {
    const { user, main } = await first([]);
    main.serve(flashBox([]), []).answer('boxes.create', () => ({ session: SESSION }));
    await user.click(screen.getByRole('radio', { name: 'Flash a disk here' }));
    expect(screen.queryByLabelText('Address')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Look along the cable' })).toBeNull();
    screen.getByRole('heading', { name: 'What is needed' });
    await user.type(screen.getByLabelText('Name'), 'VC-0042{Enter}');
    expect(main.of('boxes.create')).toEqual([{ path: 'flash', name: 'VC-0042', profile: 'vault-cube' }]);
    expect(useDesk.getState().step).toBe('flash');
  });

  it('says in the form why it cannot begin', async () => {
    const { user, main } = await first([]);
    main.refuse('boxes.create', 'box_name_taken', { name: 'VC-0042', address: '10.0.0.1' });
    await user.type(screen.getByLabelText('Name'), 'VC-0042');
    await user.type(screen.getByLabelText('Address'), '192.168.10.20');
    await user.type(screen.getByLabelText('User'), 'installer{Enter}');
    expect(screen.getByRole('alert').textContent).toContain('already known, at 10.0.0.1');
    expect(screen.getByLabelText('Address')).toHaveProperty('value', '192.168.10.20');
  });
});

describe('practice', () => {
  it('begins without a fault or with a recorded one, and opens the practice box', async () => {
    const { user, main } = await first([]);
    main.serve({ ...newBox, practice: true }, []).answer('boxes.practice', () => ({ session: SESSION }));
    await user.click(button('Practice box'));
    await user.click(await screen.findByRole('menuitem', { name: /A layer fails/ }));
    expect(main.of('boxes.practice')).toEqual([{ fault: 'layer', path: 'provision' }]);
    expect(useDesk.getState().box?.practice).toBe(true);
  });

  it('can begin with a disk that is flashed', async () => {
    const { user, main } = await first([card()]);
    main.serve(flashBox([], { practice: true }), []).answer('boxes.practice', () => ({ session: SESSION }));
    await user.click(button('Practice box'));
    await user.click(await screen.findByRole('menuitem', { name: 'With its disk flashed first' }));
    expect(main.of('boxes.practice')).toEqual([{ fault: null, path: 'flash' }]);
    expect(useDesk.getState().step).toBe('flash');
  });
});

describe('finding a box', () => {
  const found = (more: Partial<FoundBox> = {}): FoundBox => ({
    address: '192.168.10.20',
    port: 22,
    interface: 'enp3s0',
    banner: 'SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13',
    by: 'arp',
    name: 'vc-0042.local',
    ...more,
  });

  it('fills in the one that is chosen', async () => {
    const { user, main } = await first([]);
    const local = found({ address: 'fe80::1%enp3s0', by: 'neighbour', name: null, port: 2222 });
    main.answer('boxes.find', () => [found(), local]);
    await user.click(button('Look along the cable'));
    screen.getByText(/^2 found/);
    await user.click(button(/fe80::1%enp3s0 port 2222.*on enp3s0 · IPv6 neighbour/));
    expect(screen.getByLabelText('Address')).toHaveProperty('value', 'fe80::1%enp3s0');
    expect(screen.getByLabelText('Port')).toHaveProperty('value', '2222');
    expect(screen.getByLabelText('Name')).toHaveProperty('value', '');
    await user.click(button(/192\.168\.10\.20.*vc-0042\.local/));
    expect(screen.getByLabelText('Address')).toHaveProperty('value', '192.168.10.20');
    expect(screen.getByLabelText('Name')).toHaveProperty('value', 'vc-0042');
  });

  it('that is not there gives two commands for its console, and an address for this laptop by system', async () => {
    const { user, main } = await first([]);
    main.answer('boxes.find', () => []);
    await user.click(button('Look along the cable'));
    screen.getByText('No neighbour answers as an SSH server.');
    screen.getByText('ip -brief address');
    screen.getByText('sudo ip address add 192.168.10.20/24 dev eno1');
    screen.getByText('sudo ip address add 192.168.10.1/24 dev eth0');
    await user.click(screen.getByRole('tab', { name: 'Windows' }));
    screen.getByText(/^netsh interface ipv4 set address "Ethernet" static 192\.168\.10\.1/);
  });
});

describe('with boxes known', () => {
  it('shows where each stands, and opens one', async () => {
    const done = card({ name: 'VC-0041', state: 'passed', resumable: false });
    const { user, main } = await first([card(), done]);
    main.serve(newBox, []);
    const [one, two] = screen.getAllByRole('listitem');
    within(one as HTMLElement).getByText('stopped in "Provision L0, L1"');
    expect(within(two as HTMLElement).queryByRole('button', { name: /Resume/ })).toBeNull();
    await user.click(button('Open VC-0042'));
    expect(useDesk.getState().box?.session.id).toBe(SESSION);
    expect(main.of('box.resume')).toEqual([]);
  });

  it('resumes one: takes up the link, then goes on', async () => {
    const all = ['preflight', 'keys', 'l0-fetch'].map(recorded);
    const link = { state: null, detail: 'not connected', rttMs: null };
    const box = boxOf(all, { run: runOf('provision', all.slice(2), null), following: false, link });
    const { user, main } = await first([card()]);
    main
      .serve(box, all)
      .answer('box.connect', () => box)
      .answer('box.resume', () => ({ outcome: 'passed' }));
    await user.click(button('Resume VC-0042'));
    const done = main.calls.filter((c) => ['box.connect', 'box.resume'].includes(c.name));
    expect(done).toEqual([
      { name: 'box.connect', input: { session: SESSION, login: { kind: 'session' } } },
      { name: 'box.resume', input: { session: SESSION } },
    ]);
  });

  it('says what a practice box is, and goes back from the form', async () => {
    const { user } = await first([card({ practice: true })]);
    screen.getByText('PRACTICE');
    await user.click(button('New box'));
    await user.click(button('Back'));
    screen.getByText('VC-0042');
  });

  it('shows why something did not work, with what to do', async () => {
    const { user, main } = await first([card()]);
    main
      .answer('pick.file', () => '/media/kim/report.html')
      .refuse('open.path', 'open_failed', {
        path: '/media/kim/report.html',
        detail: 'no program opens it',
      });
    await user.click(button('Open report…'));
    const alert = within(screen.getByRole('alert'));
    alert.getByText(/could not be opened/);
    await user.click(alert.getByRole('button', { name: 'Dismiss' }));
    expect(useFrame.getState().problem).toBeNull();
  });
});

describe('after a kill', () => {
  const all = ['preflight', 'keys', 'l0-fetch'].map(recorded);
  const run = runOf('provision', all.slice(2), null);
  const row = { ...all[2]!.row, state: 'running' as const };
  const running = [...all.slice(0, 2), { row, lines: all[2]!.lines.slice(0, 5) }];

  it('the window is back in the box and step, and follows the job again', async () => {
    const box = boxOf(running, { run, following: false });
    const main = new FakeMain()
      .serve(box, running)
      .answer('place.last', () => ({ session: SESSION, step: 'keys' }))
      .answer('box.resume', () => ({ outcome: 'passed' }));
    main.install();
    await goToLastPlace();
    expect(useDesk.getState().step).toBe('keys');
    expect(main.of('box.resume')).toEqual([{ session: SESSION }]);
  });

  it('nothing is resumed that no job runs for', async () => {
    const main = new FakeMain()
      .serve(boxOf(all, { run, following: false }), all)
      .answer('place.last', () => ({ session: SESSION, step: 'provision' }));
    main.install();
    await goToLastPlace();
    expect(useDesk.getState().step).toBe('provision');
    expect(main.of('box.resume')).toEqual([]);
  });

  it('the first screen stays where it was the place', async () => {
    const main = new FakeMain().answer('place.last', () => ({ session: null, step: 'connect' }));
    main.install();
    await goToLastPlace();
    expect(useDesk.getState().box).toBeNull();
  });

  it('main knows of every change of place, once', () => {
    const main = new FakeMain().answer('place.keep', () => undefined);
    main.install();
    const end = keepPlace();
    useDesk.setState({ box: boxOf(all), step: 'keys' });
    useDesk.setState({ notes: ['a note'] });
    useDesk.setState({ step: 'report' });
    useDesk.setState({ box: null });
    end();
    useDesk.setState({ step: 'connect' });
    expect(main.of('place.keep')).toEqual([
      { session: SESSION, step: 'keys' },
      { session: SESSION, step: 'report' },
      { session: null, step: 'report' },
    ]);
  });
});
