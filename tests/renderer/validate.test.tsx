/** Validate with the lines of a real suite: what can be chosen, live charts and checks, how a result goes out of date. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { act, fireEvent, screen, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import type { BoxState } from '../../preload/contract/calls.ts';
import { Profile } from '../../preload/contract/profile.ts';
import type { Session } from '../../preload/contract/session.ts';
import { loadFacts } from '../../preload/contract/supply.ts';
import { Validate } from '../../renderer/steps/validate/Validate.tsx';
import { fakeCanvas } from './canvas.ts';
import { FakeMain } from './main.ts';
import './matchers.ts';
import { begun, boxOf, recorded, runOf, session, type Recording } from './recordings.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const drawn = fakeCanvas();
const before = [
  ...['preflight', 'keys', 'l0-fetch', 'l0-install', 'l0-health'],
  ...['l1-fetch', 'l1-install', 'l1-harden', 'l1-health'],
].map(recorded);

function main(
  all: readonly Recording[],
  more: Partial<BoxState> & { run?: ReturnType<typeof runOf> | null } = {},
) {
  return new FakeMain().serve(boxOf(all, more), all);
}

const card = (name: string) => within(screen.getByRole('region', { name }));
/** The value that a chart's legend shows of each GPU. */
const legend = (title: string) =>
  Array.from(
    screen.getByRole('figure', { name: new RegExp(`^${title}:`) }).querySelectorAll('.chart-value'),
  ).map((span) => span.textContent);

describe('what is to run', () => {
  it('are the suites that this box is ready for; the others say what they come after', async () => {
    const fake = main(before).answer('box.validate', () => ({ outcome: 'passed' }));
    const { user } = await show(Validate, fake);
    expect(screen.getAllByRole('checkbox')).toEqual([
      screen.getByRole('checkbox', { name: 'T1 GPU detection', checked: true }),
      screen.getByRole('checkbox', { name: 'T9 Roles', checked: false }),
    ]);
    card('T2 PyTorch DDP').getByText('after L4');
    const watch = screen.getByLabelText('Watch the GPUs after the last check');
    await user.clear(watch);
    expect(screen.getByRole('button', { name: 'Validate' })).toBeDisabledWith('Enter both numbers.');
    await user.type(watch, '90');
    await user.click(screen.getByRole('button', { name: 'Validate' }));
    expect(fake.of('box.validate')).toEqual([
      { session: SESSION, suites: ['gpu-detection'], watchSeconds: 90, hz: 1 },
    ]);
  });

  it('is nothing without a suite', async () => {
    const { user } = await show(Validate, main(before));
    await user.click(screen.getByRole('checkbox', { name: 'T1 GPU detection' }));
    expect(screen.getByRole('button', { name: 'Validate' })).toBeDisabledWith('Choose a suite.');
  });
});

describe('load', () => {
  const profile = Profile.parse(
    JSON.parse(readFileSync(join(import.meta.dirname, '../../resources/profiles/vault-cube.json'), 'utf8')),
  );
  const facts = loadFacts(profile);
  const ready = (supply: Session['supply']) => {
    const { standing, session: s } = boxOf(before);
    const suites = standing.suites;
    return main(before, {
      standing: { ...standing, suites, load: facts, frameworks: ['torch'] },
      session: { ...s, supply },
    });
  };
  const button = (name: RegExp) => screen.getByRole('button', { name });

  it('waits for what feeds the box, and for a click that names watts and time', async () => {
    const fake = ready(null)
      .answer('box.supply', () => boxOf(before))
      .answer('box.validate', () => ({ outcome: 'passed' }));
    const { user } = await show(Validate, fake);
    await user.click(screen.getByRole('checkbox', { name: 'T2 PyTorch DDP' }));
    const load = /^Load the GPUs: up to 2\u202f750 W for about 10 min$/;
    expect(button(load)).toBeDisabledWith('Say first what feeds the box.');
    await user.type(screen.getByLabelText('Voltage of the socket'), '120');
    await user.type(screen.getByLabelText('Breaker of its circuit'), '15');
    expect(button(load)).toBeDisabledWith(
      'The supply carries 1 440 W for hours, and the box draws up to 2 750 W.',
    );
    await user.clear(screen.getByLabelText('Voltage of the socket'));
    await user.type(screen.getByLabelText('Voltage of the socket'), '230');
    await user.clear(screen.getByLabelText('Breaker of its circuit'));
    await user.type(screen.getByLabelText('Breaker of its circuit'), '16');
    await user.click(button(load));
    expect(fake.of('box.supply')).toEqual([{ session: SESSION, volts: 230, amperes: 16 }]);
    expect(fake.of('box.validate')).toMatchObject([
      { suites: ['gpu-detection', 'pytorch-ddp'], agreedWatts: 2750 },
    ]);
  });

  it('can be held to what a weak supply carries: with fewer watts, and said to be a deviation', async () => {
    const fake = ready({ volts: 230, amperes: 13, statedAt: '2026-11-29T10:00:00Z' }).answer(
      'box.validate',
      () => ({ outcome: 'passed' }),
    );
    const { user } = await show(Validate, fake);
    await user.click(screen.getByRole('checkbox', { name: 'T2 PyTorch DDP' }));
    expect(button(/^Load the GPUs/)).toBeDisabledWith(
      'The supply carries 2 392 W for hours, and the box draws up to 2 750 W.',
    );
    screen.getByText(/Results with less are a deviation/);
    await user.click(screen.getByRole('checkbox', { name: 'Hold the cards to less power' }));
    // As much as the breaker carries is offered first.
    const limit = screen.getByLabelText('Power limit of each card');
    expect(limit).toHaveProperty('value', '485 W');
    await user.clear(limit);
    expect(button(/^Load the GPUs/)).toBeDisabledWith('Say how many watts each card may draw.');
    await user.type(limit, '450');
    await user.click(button(/^Load the GPUs: up to 2 250 W for about 10 min$/));
    expect(fake.of('box.validate')).toMatchObject([
      { suites: ['gpu-detection', 'pytorch-ddp'], agreedWatts: 2250, powerLimitW: 450 },
    ]);
  });

  it('is not asked again of what was said, and a soak has its length', async () => {
    const fake = ready({ volts: 230, amperes: 16, statedAt: '2026-11-29T10:00:00Z' }).answer(
      'box.validate',
      () => ({ outcome: 'passed' }),
    );
    const { user } = await show(Validate, fake);
    await user.click(screen.getByRole('checkbox', { name: 'T7 Stress' }));
    button(/for about 24 h$/);
    const length = screen.getByLabelText('Length of the soak');
    await user.clear(length);
    expect(button(/^Load the GPUs/)).toBeDisabledWith('Say how long the soak is to take, up to 168 hours.');
    await user.type(length, '2');
    await user.click(button(/for about 2 h$/));
    expect(fake.of('box.supply')).toEqual([]);
    expect(fake.of('box.validate')).toMatchObject([{ agreedWatts: 2750, soakSeconds: 7200 }]);
  });

  it('is agreed to anew for a single check that is run again, and its result before is kept', async () => {
    const { standing, session: s } = boxOf(before);
    const [known] = standing.preflight.checks;
    const [part] = standing.suites.filter((p) => p.id === 'gpu-detection');
    if (!known || !part) throw new Error('nothing recorded');
    const row = before.at(-1)?.row;
    if (!row) throw new Error('nothing recorded');
    const ran = (id: string, check: string) => {
      const params = { ...row.spec.params, suite: id, telemetry: null };
      const its = { ...row, job: crypto.randomUUID(), kind: 'checks' as const, title: id };
      const result = { ...known.result, id: check, title: `Check of ${id}` };
      return {
        row: { ...its, spec: { ...row.spec, params } },
        part: {
          ...part,
          id,
          title: id,
          attempts: 1,
          state: 'ended' as const,
          checks: [{ ...known, result }],
        },
      };
    };
    const two = [ran('gpu-detection', 'gpu_xid'), ran('pytorch-ddp', 't2_loss')];
    const box = boxOf(before);
    const fake = main(before, {
      jobs: [...box.jobs, ...two.map((one) => one.row)],
      standing: { ...standing, suites: two.map((one) => one.part), load: facts, frameworks: ['torch'] },
      session: { ...s, supply: { volts: 230, amperes: 16, statedAt: '2026-11-29T10:00:00Z' } },
    }).answer('box.validate', () => ({ outcome: 'passed' }));
    const { user } = await show(Validate, fake);
    const again = async (name: string) => {
      const of = card(name);
      await user.click(of.getByRole('button', { name: 'Show 1 check' }));
      await user.click(of.getByRole('button', { name: /Check of/ }));
      await user.click(of.getByRole('button', { name: 'Re-run' }));
    };
    await again('gpu-detection');
    const order = { session: SESSION, watchSeconds: 0, hz: 1 };
    expect(fake.of('box.validate')).toEqual([{ ...order, suites: ['gpu-detection'], checks: ['gpu_xid'] }]);
    await again('pytorch-ddp');
    expect(fake.of('box.validate')).toHaveLength(1);
    await user.click(
      within(await screen.findByRole('dialog')).getByRole('button', {
        name: /^Load the GPUs: up to 2 750 W for about 10 min$/,
      }),
    );
    expect(fake.of('box.validate')[1]).toEqual({
      ...{ ...order, suites: ['pytorch-ddp'], checks: ['t2_loss'], agreedWatts: 2750 },
    });
  });

  it('is no matter while nothing of it is chosen', async () => {
    await show(Validate, ready(null));
    expect(screen.queryByLabelText('Voltage of the socket')).toBeNull();
    expect(screen.getByRole('button', { name: 'Validate' })).toHaveProperty('disabled', false);
  });
});

describe('suites of the layers', () => {
  /** With a profile that decides the versions of layers 2 to 5, and layers that were begun. */
  function withLayers(begun: readonly number[], more: Partial<Session> = {}) {
    const box = boxOf(before);
    const part = box.standing.layers[1];
    const [t1] = box.standing.suites;
    if (!part || !t1) throw new Error('nothing recorded');
    const layers = [0, 1, 2, 3, 4, 5].map((layer) => ({
      ...{ ...part, id: `l${layer}`, layer, title: `L${layer}` },
      attempts: begun.includes(layer) ? 1 : 0,
    }));
    const unrun = { ...t1, attempts: 0, state: 'not_run' as const };
    const suites = [
      ...[t1, { ...unrun, id: 'integration', title: 'T8 Integration' }],
      { ...unrun, id: 'roles', title: 'T9 Roles' },
    ];
    const fake = new FakeMain().serve(
      { ...box, session: session(more), standing: { ...box.standing, layers, suites } },
      before,
    );
    return show(
      Validate,
      fake.answer('box.validate', () => ({ outcome: 'passed' })),
    ).then((shown) => ({
      ...shown,
      fake,
    }));
  }

  it('say how long they take and what T8 does, and run where they are ticked', async () => {
    const { user, fake } = await withLayers([0, 1, 2, 3, 4, 5]);
    card('T9 Roles').getByText('About 5 minutes.');
    card('T8 Integration').getByText(
      'About 15 minutes. Runs the layers once more and reboots the box, which is asked before.',
    );
    await user.click(screen.getByRole('checkbox', { name: 'T1 GPU detection' }));
    await user.click(screen.getByRole('checkbox', { name: 'T9 Roles' }));
    await user.click(screen.getByRole('checkbox', { name: 'T8 Integration' }));
    await user.click(screen.getByRole('button', { name: 'Validate' }));
    expect(fake.of('box.validate')).toMatchObject([{ suites: ['roles', 'integration'] }]);
  });

  it('tell what they come after where that is not there', async () => {
    await withLayers([0, 1, 2]);
    card('T8 Integration').getByText('after L3, L4, L5');
    expect(screen.queryByRole('checkbox', { name: 'T8 Integration' })).toBeNull();
    expect(screen.getByRole('checkbox', { name: 'T9 Roles' })).toBeTruthy();
  });

  it('are not for the practice box', async () => {
    await withLayers([0, 1, 2, 3, 4, 5], { practice: true });
    card('T9 Roles').getByText('not on the practice box: no run of it was recorded to be replayed');
    expect(screen.getAllByRole('checkbox')).toHaveLength(1);
  });
});

describe('a suite on its way', () => {
  const whole = recorded('gpu-detection');

  function running(lines: number) {
    const now = begun('gpu-detection', lines);
    const all = [...before, now];
    return { now, fake: main(all, { run: runOf('validate', [now], null) }) };
  }

  it('shows its checks as they come, and the GPUs while they are watched', async () => {
    const { now, fake } = running(43);
    await show(Validate, fake);
    const t1 = card('T1 GPU detection');
    t1.getByText('Watch the GPUs for 3 s');
    t1.getByText('0:00 of ~0:03');
    t1.getByText('all passed so far');
    t1.getByRole('button', { name: 'Show 10 checks' });
    expect(legend('Core temperature')).toEqual(['35', '34']);
    expect(legend('Power')).toEqual(['72', '72']);
    const { job, attempt } = now.row;
    const hotter = whole.lines.slice(43, 45).map((l) => l.replaceAll('81559,35,', '81559,58,'));
    act(() => fake.tell('lines', { session: SESSION, job, attempt, lines: hotter }));
    expect(legend('Core temperature')).toEqual(['58', '34']);
    expect(
      screen.getByRole('figure', { name: /^Core temperature: GPU 0 35 to 58 °C, GPU 1 34 °C$/ }),
    ).toBeTruthy();
  });

  it('has no chart of what the cards do not report, and the limits of its profile in the others', async () => {
    const { fake } = running(45);
    await show(Validate, fake);
    expect(screen.queryByRole('figure', { name: /^Fan/ })).toBeNull();
    expect(screen.getAllByRole('figure').map((f) => f.querySelector('.chart-title')?.textContent)).toEqual([
      'Utilization %',
      'Core temperature °C',
      'Power W',
      'Memory in use GiB',
      'SM clock MHz',
      'Memory clock MHz',
      'PCIe link generation',
      'PCIe link width lanes',
    ]);
    for (const text of [
      'limit at idle 60 °C',
      'power limit 700 W',
      'memory of a card 79.6 GiB',
      'expected 16 lanes',
    ])
      expect(drawn.texts).toContain(text);
    expect(drawn.strokes.some((s) => s.dash.join() === '2,3')).toBe(true);
  });

  it('is zoomed and moved by keys, all charts at once, and asks main for nothing that it has', async () => {
    const { fake } = running(47);
    await show(Validate, fake);
    const many = Array.from(
      { length: 60 },
      (_, i) => (l: string) =>
        l.replaceAll('[3025.771,', `[${3026 + i}.0,`).replace(/"seq":\d+/, `"seq":${48 + i}`),
    ).map((change) => change(whole.lines[46] ?? ''));
    const { job, attempt } = whole.row;
    act(() => fake.tell('lines', { session: SESSION, job, attempt, lines: many }));
    const charts = screen.getByRole('group', { name: /^GPU charts/ });
    within(charts).getByText(/^0:00 to 1:02$/);
    fireEvent.keyDown(charts, { key: '+' });
    within(charts).getByText('0:16 to 0:47 of 1:02');
    fireEvent.keyDown(charts, { key: 'ArrowRight' });
    within(charts).getByText('0:23 to 0:55 of 1:02');
    fireEvent.keyDown(charts, { key: '-' });
    within(charts).getByText(/^0:00 to 1:02$/);
    fireEvent.keyDown(charts, { key: '+', ctrlKey: true });
    within(charts).getByText(/^0:00 to 1:02$/);
    expect(fake.of('job.samples')).toHaveLength(1);
  });
});

describe('a long suite', () => {
  it('is read thinned, and a window of it in full once it is chosen', async () => {
    const all = [...before, recorded('gpu-detection')];
    const fake = main(all).answer('job.samples', ({ from, to }) => {
      const times = Array.from({ length: 2_000 }, (_, i) => 3022.7 + i * 10).filter(
        (t) => t >= (from ?? 0) && t <= (to ?? Infinity),
      );
      // What is seen only in full: main says so with another value here.
      const value = Float64Array.from(times, () => (from === null ? 40 : 41));
      return [{ series: '0', field: 'temperature.gpu', mono: Float64Array.from(times), value }];
    });
    await show(Validate, fake);
    expect(legend('Core temperature')[0]).toBe('40');
    const charts = screen.getByRole('group', { name: /^GPU charts/ });
    // With the room around it, half of the time is all of it: nothing would be told anew.
    fireEvent.keyDown(charts, { key: '+' });
    fireEvent.keyDown(charts, { key: '+' });
    await vi.waitFor(() => expect(legend('Core temperature')[0]).toBe('41'));
    expect(fake.of('job.samples')).toHaveLength(2);
    const [whole, window] = fake.of('job.samples') as {
      from: number | null;
      to: number | null;
      points: number;
    }[];
    expect(whole).toMatchObject({ from: null, to: null });
    // More than half a window on either side, so that moving finds something at once.
    expect((window?.to ?? 0) - (window?.from ?? 0)).toBeCloseTo(2.1 * 0.25 * 19_990, -2);
  });
});

describe('a suite that ran', () => {
  it('stands with its charts, its marks in words, and its checks to open', async () => {
    const all = [...before, recorded('gpu-detection')];
    const { user } = await show(Validate, main(all));
    const t1 = card('T1 GPU detection');
    t1.getByText('passed');
    await user.click(t1.getByRole('button', { name: '1 step and 2 events' }));
    expect(Array.from(document.querySelectorAll('.marks-list li'), (li) => li.textContent)).toEqual([
      '0:00·Job started',
      '0:00·Watch the GPUs for 3 s, until 0:03',
      '0:03·Job passed',
    ]);
    await user.click(t1.getByRole('button', { name: 'Show 10 checks' }));
    t1.getByText('All GPUs are detected');
  });

  it('is written as CSV into a folder that is chosen, and says where', async () => {
    const suite = recorded('gpu-detection');
    const file = '/media/stick/vault-cube-VC-0042-0010-checks-1-gpu.csv';
    const fake = main([...before, suite])
      .answer('pick.folder', () => '/media/stick')
      .answer('job.csv', () => [file])
      .answer('open.path', () => undefined);
    const { user } = await show(Validate, fake);
    await user.click(screen.getByRole('button', { name: 'Export CSV…' }));
    within(await screen.findByRole('status')).getByText(file);
    const { job, attempt } = suite.row;
    expect(fake.of('job.csv')).toEqual([{ session: SESSION, job, attempt, folder: '/media/stick' }]);
    await user.click(screen.getByRole('button', { name: 'Open folder' }));
    expect(fake.of('open.path')).toEqual([{ path: '/media/stick' }]);
    fake.refuse('job.csv', 'laptop_disk_full', { path: '/media/stick' });
    await user.click(screen.getByRole('button', { name: 'Export CSV…' }));
    within(await screen.findByRole('alert')).getByText(
      'The disk of this laptop is full; nothing more can be recorded.',
    );
    expect(screen.queryByText(file)).toBeNull();
  });

  it('is out of date once the box was changed', async () => {
    const [l1Install, l1Harden, l1Health] = before.slice(-3);
    if (!l1Install || !l1Harden || !l1Health) throw new Error('nothing recorded');
    const all = [...before.slice(0, -3), recorded('gpu-detection'), l1Install, l1Harden, l1Health];
    await show(Validate, main(all));
    expect(card('T1 GPU detection').getByText(/^Out of date/).textContent).toBe(
      '↻ Out of date: it is older than "Access hardening", which changed the box.',
    );
    expect(screen.queryByText(/^Missing/)).toBeNull();
  });
});
