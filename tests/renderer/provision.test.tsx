/** Provision with the lines of a real run on the rig: plan, the layers as they go, and every way they can end. */
import { act, screen, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import type { BoxState } from '../../preload/contract/calls.ts';
import { Provision } from '../../renderer/steps/provision/Provision.tsx';
import { FakeMain } from './main.ts';
import { begun, boxOf, failedAt, recorded, runOf, session, type Recording } from './recordings.ts';
import './matchers.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const before = [recorded('preflight'), recorded('keys')];
const l0 = [recorded('l0-fetch'), recorded('l0-install'), recorded('l0-health')];
const l1 = [recorded('l1-fetch'), recorded('l1-install'), recorded('l1-harden'), recorded('l1-health')];
const atPackages = (line: string) => line.includes('"name":"Install the packages of layer 1","role"');

/** The run stands at `now`: what came before it is done, what comes after it has not begun. */
function standing(now: Recording, more: Partial<BoxState> = {}, at = 4) {
  const done = [...l0, ...l1].slice(0, at);
  const run = runOf('provision', [...done, now, ...l1.slice(at - 2)], null);
  const all = [...before, ...done, now];
  return { main: new FakeMain().serve(boxOf(all, { run, ...more }), all), run };
}

const card = (name: string) => within(screen.getByRole('region', { name }));
const button = (name: RegExp | string) => screen.getByRole('button', { name });

describe('the plan', () => {
  function planned() {
    const run = runOf('provision', [...l0, ...l1], null);
    const main = new FakeMain().serve(boxOf(before), before).answer('box.plan', () => run);
    return main.answer('box.provision', () => ({ outcome: 'passed' }));
  }

  it('is what main would do for these layers and this bundle, and nothing begins before it is there', async () => {
    const main = planned();
    const { user } = await show(Provision, main);
    expect(button('Provision L0, L1')).toBeDisabledWith('Choose a bundle.');
    await user.type(screen.getByLabelText('Site bundle'), '/media/kim/SITE');
    const plan = within(await screen.findByRole('region', { name: 'What will happen' }));
    expect(plan.getAllByRole('listitem').map((li) => li.querySelector('.plan-title')?.textContent)).toEqual(
      [...l0, ...l1].map((r) => r.row.title),
    );
    expect(main.of('box.plan').at(-1)).toEqual({
      session: SESSION,
      layers: [0, 1],
      bundle: '/media/kim/SITE',
    });
    expect(main.of('box.provision')).toEqual([]);
    await user.click(button('Provision L0, L1'));
    expect(main.of('box.provision')).toEqual([
      { session: SESSION, layers: [0, 1], bundle: '/media/kim/SITE' },
    ]);
  });

  it('is asked for anew when a layer is left out', async () => {
    const main = planned();
    const { user } = await show(
      Provision,
      main.answer('box.bundle', () => '/srv/bundle'),
    );
    await screen.findByRole('region', { name: 'What will happen' });
    await user.click(screen.getByRole('checkbox', { name: 'L1 Base system' }));
    await vi.waitFor(() => expect(main.of('box.plan').at(-1)).toMatchObject({ layers: [0] }));
    await user.click(screen.getByRole('checkbox', { name: 'L0 Bootstrap' }));
    expect(button('Provision')).toBeDisabledWith('Choose a layer.');
  });

  it('names the decided versions, and offers an optional layer unchosen where there are layers above the base', async () => {
    const box = boxOf(before);
    const [l0Part, l1Part] = box.standing.layers;
    if (!l0Part || !l1Part) throw new Error('the recorded box has two layers');
    const layers = [l0Part, l1Part, { ...l1Part, id: 'l2', layer: 2, title: 'L2 Driver stack' }];
    const software = [
      'NVIDIA driver 580.95.05 (specification ≥ 550.127.05, RTX 5090 with open modules ≥ 570.26)',
    ];
    const run = { ...runOf('provision', [...l0, ...l1], null), software };
    const main = new FakeMain()
      .serve(boxOf(before, { standing: { ...box.standing, layers } }), before)
      .answer('box.plan', () => run)
      .answer('box.bundle', () => '/srv/bundle');
    const { user } = await show(Provision, main);
    const plan = within(await screen.findByRole('region', { name: 'What will happen' }));
    expect(plan.getByText(software[0] ?? '')).toBeTruthy();
    expect(main.of('box.plan').at(-1)).toMatchObject({ layers: [0, 1, 2] });
    const optional = screen.getByRole('checkbox', { name: 'L6 Extended hardening' });
    await user.click(optional);
    await vi.waitFor(() => expect(main.of('box.plan').at(-1)).toMatchObject({ layers: [0, 1, 2, 6] }));
  });

  it('that cannot be made says why and what to do, with the button for it beside', async () => {
    const main = planned().refuse('box.plan', 'bundle_missing', { path: '/nothing' });
    const { user } = await show(Provision, main);
    await user.type(screen.getByLabelText('Site bundle'), '/nothing');
    const alert = within(await screen.findByRole('alert'));
    alert.getByText('There is no bundle at /nothing.');
    alert.getByText('Choose the folder of the bundle, the one with manifest.json in it.');
    expect(button('Provision L0, L1')).toHaveProperty('disabled', true);
  });

  it('waits while another step has a job on the box', async () => {
    const t1 = begun('gpu-detection', 20);
    const all = [...before, t1];
    const run = runOf('validate', [t1], null);
    await show(Provision, new FakeMain().serve(boxOf(all, { run }), all));
    screen.getByText('"T1 GPU detection" is on its way.');
  });
});

describe('a layer on its way', () => {
  it("shows the task in the tool's own words, the last ones before it, and what comes after", async () => {
    const { main } = standing(begun('l1-install', atPackages));
    await show(Provision, main);
    const l1Card = card('L1 Base system');
    l1Card.getByText('running', { selector: '.part-running' });
    l1Card.getByText('task 7 of 24');
    const tasks = l1Card.getAllByRole('listitem').filter((li) => li.dataset['state'] && li.closest('.tasks'));
    expect(tasks.map((li) => li.textContent)).toEqual([
      '●Read the package lists and upgrade what is installedchanged0.8 s',
      "✓Look whether Docker's own packages are thereok0.7 s",
      '▶Install the packages of layer 1running',
    ]);
    l1Card.getByText('Access hardening');
    expect(l1Card.getAllByText('waits')).toHaveLength(2);
    // A healthy layer is one line; its jobs open.
    card('L0 Bootstrap').getByText('passed');
    expect(card('L0 Bootstrap').queryByText('Fetch L0 Bootstrap')).toBeNull();
  });

  it('goes on with the lines that main tells of', async () => {
    const whole = recorded('l1-install');
    const now = begun('l1-install', atPackages);
    const { main } = standing(now);
    await show(Provision, main);
    const { job, attempt } = now.row;
    const until = whole.lines.findIndex((line) => line.includes(`"name":"Look for Docker's configuration"`));
    const lines = whole.lines.slice(now.lines.length, until + 1);
    act(() => main.tell('lines', { session: SESSION, job, attempt, lines }));
    card('L1 Base system').getByText('task 9 of 24');
    card('L1 Base system').getByText('Install the packages of layer 1');
  });

  it('tells of silence, and that the job is alive', async () => {
    const { main } = standing(begun('l1-install', (line) => line.includes('"quietSeconds":12.131')));
    await show(Provision, main);
    card('L1 Base system').getByText('Quiet for 0:12; the job is alive.');
  });

  it('that fetches shows amount, rate and what remains', async () => {
    const { main } = standing(begun('l1-fetch', 11), {}, 3);
    await show(Provision, main);
    card('L1 Base system').getByText('115 MB of 204 MB · 114 MB/s · 0.8 s left');
  });

  it('that has only begun to fetch knows no rate, and says so', async () => {
    const { main } = standing(begun('l1-fetch', 9), {}, 3);
    await show(Provision, main);
    card('L1 Base system').getByText('8.03 kB of 204 MB · rate unknown · remaining unknown');
  });

  it.each([
    [
      'l1-fetch',
      '"for":"source"',
      3,
      'Waiting for the bundle on this laptop: the app has not opened its tunnel yet',
    ],
    [
      'l1-harden',
      '"for":"link"',
      5,
      'Waiting for the connection: hardening starts only while the app is there to prove a new login',
    ],
    [
      'l1-harden',
      '"for":"confirm"',
      5,
      'Waiting for a new key login that confirms the rules: a new login with a key, within 120 s; everything is put back without it',
    ],
  ])('waits in words: %s %s', async (name, line, at, words) => {
    const { main } = standing(
      begun(name, (l) => l.includes(line)),
      {},
      at,
    );
    await show(Provision, main);
    expect(screen.getAllByRole('status').map((s) => s.textContent)).toContain(`… ${words}`);
  });

  it('goes on on the box while the link is away', async () => {
    const link = { state: 'reconnecting' as const, detail: 'no route', rttMs: null };
    const { main } = standing(begun('l1-install', atPackages), { link });
    await show(Provision, main);
    screen.getByText(/^Reconnecting. The job goes on on the box/);
    card('L1 Base system').getByText('task 7 of 24');
  });

  it('is cancelled by a second press, and never by Esc', async () => {
    const { main } = standing(begun('l1-install', atPackages));
    main.answer('box.cancel', () => undefined);
    const { user } = await show(Provision, main);
    await user.keyboard('{Escape}');
    await user.click(button('Cancel…'));
    await screen.findByText('End "Install L1 Base system" on the box?');
    await user.keyboard('{Escape}');
    expect(main.of('box.cancel')).toEqual([]);
    await user.click(button('Cancel…'));
    await user.click(await screen.findByRole('button', { name: 'Cancel the run' }));
    expect(main.of('box.cancel')).toEqual([{ session: SESSION }]);
    screen.getByText(/^Cancelling\. apt ends/);
  });
});

describe('a run that did not end well', () => {
  const WHY = 'E: Unable to locate package fail2ban';

  it('names the task that failed, what to do, and resumes', async () => {
    const { main } = standing(failedAt('l1-install', atPackages, WHY), { following: false });
    main.answer('box.resume', () => ({ outcome: 'passed' }));
    const { user } = await show(Provision, main);
    const l1Card = card('L1 Base system');
    l1Card.getByText(`Install L1 Base system failed: ${WHY}`);
    l1Card.getByText('Read the named task, mend its cause, then Resume.');
    expect(l1Card.getByText('Install the packages of layer 1').closest('li')?.dataset['state']).toBe(
      'failed',
    );
    await user.click(button('Resume'));
    expect(main.of('box.resume')).toEqual([{ session: SESSION }]);
  });

  it('says it once: the error of the call is the one that the job tells', async () => {
    const { main } = standing(failedAt('l1-install', atPackages, WHY), { following: false });
    main.refuse('box.resume', 'job_failed', { title: 'Install L1 Base system', detail: WHY });
    const { user } = await show(Provision, main);
    await user.click(button('Resume'));
    expect(screen.getAllByRole('alert')).toHaveLength(1);
    main.refuse('box.resume', 'host_unreachable', { host: '198.18.204.2', seconds: 10 });
    await user.click(button('Resume'));
    screen.getByText(/^Nothing answers at 198.18.204.2/);
  });

  it('whose job was lost says what is known, and resumes', async () => {
    const { main } = standing(begun('l1-install', 60, 'lost'), { following: false });
    await show(Provision, main);
    card('L1 Base system').getByText(/ended without a result: its process is gone/);
    button('Resume');
  });

  it('that was cancelled is no error, and can be planned anew', async () => {
    const now = begun('l1-harden', 50, 'cancelled');
    const all = [...before, ...l0, ...l1.slice(0, 2), now];
    const run = runOf('provision', all.slice(2), '2026-11-24T20:40:00.000Z');
    const { user } = await show(Provision, new FakeMain().serve(boxOf(all, { run }), all));
    card('L1 Base system').getByText('cancelled');
    expect(screen.queryByRole('alert')).toBeNull();
    await user.click(button('Plan the rest…'));
    expect(screen.getByRole('checkbox', { name: 'L0 Bootstrap' })).toHaveProperty('checked', false);
    expect(screen.getByRole('checkbox', { name: 'L1 Base system' })).toHaveProperty('checked', true);
  });

  it('is not followed after a restart of the app: Resume follows it, Cancel ends it', async () => {
    const { main } = standing(begun('l1-install', atPackages), { following: false });
    await show(Provision, main);
    screen.getByText(/is not followed here\. Resume follows it\./);
    button('Resume');
    button('Cancel…');
  });
});

describe('layers that were put on', () => {
  function done(change: (line: string) => string = (line) => line) {
    const health = l1.map((r, i) => (i === 3 ? { ...r, lines: r.lines.map(change) } : r));
    const all = [...before, ...l0, ...health];
    const run = runOf('provision', all.slice(2), '2026-11-24T20:31:00.000Z');
    return new FakeMain().serve(boxOf(all, { run }), all);
  }

  it('are a line each; jobs and checks open', async () => {
    const { user } = await show(Provision, done());
    const l1Card = card('L1 Base system');
    l1Card.getByText('passed');
    l1Card.getByText('changed 17');
    l1Card.getByText('1:52 of ~3:00');
    await user.click(l1Card.getByRole('button', { name: 'Show 4 jobs and 32 checks' }));
    l1Card.getByText('151 files fetched, 9 were there');
    expect(document.querySelectorAll('[data-part="l1"] [data-check]')).toHaveLength(32);
  });

  it('name their deviations', async () => {
    const warn = (line: string) =>
      line.includes('"kind":"check"') && line.includes('"id":"l1_listening"')
        ? line
            .replace('"verdict":"pass"', '"verdict":"warn"')
            .replace('"reason":null', '"reason":"port 111 answers"')
        : line;
    await show(Provision, done(warn));
    const l1Card = card('L1 Base system');
    l1Card.getByText('passed with deviations');
    l1Card.getByText(/: warn \(port 111 answers\)$/);
    l1Card.getByText('1 did not pass');
  });

  it('are looked at again without being changed', async () => {
    const main = done().answer('box.check', () => ({ outcome: 'passed' }));
    const { user } = await show(Provision, main);
    await user.click(button('Check again'));
    expect(main.of('box.check')).toEqual([{ session: SESSION, layers: [0, 1] }]);
  });

  it('that are not healthy say so, as the health check of the first run did', async () => {
    const all = [...before, l0[0], l0[1], recorded('l0-health-failed')].filter((r) => r !== undefined);
    await show(Provision, new FakeMain().serve(boxOf(all), all));
    card('L0 Bootstrap').getByText('failed');
    card('L1 Base system').getByText('after L0');
  });
});
