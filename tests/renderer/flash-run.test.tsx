/** The step Flash from its start on: what is on its way, what came of it, and that a window that is loaded anew shows the same. */
import { act, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { FlashProgress } from '../../preload/contract/flash.ts';
import { Flash } from '../../renderer/steps/flash/Flash.tsx';
import {
  CHOSEN,
  disk,
  ended,
  flashBox,
  flashed,
  flashMain,
  IMAGE,
  NAME,
  SERIAL,
  writing,
} from './flashing.ts';
import type { FakeMain } from './main.ts';
import type { Recording } from './recordings.ts';
import { session } from './recordings.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const TITLE = `Flash ${NAME} (${SERIAL})`;
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const card = () => screen.getByRole('region', { name: TITLE });
const phases = () =>
  within(screen.getByRole('list', { name: 'Phases' }))
    .getAllByRole('listitem')
    .map((li) => li.textContent.replace(/\d+:\d+$/, ''));

const GB = 1_000_000_000;
const told = (main: FakeMain, { row }: Recording, progress: Partial<FlashProgress>) => {
  const whole = { phase: 'write', done: 3 * GB, total: 14 * GB, perSecond: 0.4 * GB } as const;
  const rest = { remainingSeconds: 150, fraction: 0.0471, zeroing: false };
  const { job, attempt } = row;
  act(() =>
    main.tell('flash', { session: SESSION, job, attempt, progress: { ...whole, ...rest, ...progress } }),
  );
};

describe('on its way', () => {
  it('shows phase, amount, rate now and remaining time as main tells them', async () => {
    const now = writing();
    const main = flashMain([now], { chosen: CHOSEN });
    await show(Flash, main);
    told(main, now, {});
    expect(card().textContent).toContain('Write3 GB of 14 GB · 400 MB/s · about 2 min 30 s left4.7 %');
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('4.7');
    expect(screen.getByRole('progressbar').getAttribute('aria-label')).toBe('4.7 % of the whole flash');
    expect(phases()).toEqual([
      '✓Look at the imagedone',
      '✓Make the disk unable to startdone',
      '▶Writerunning',
      '·Wait until the disk has all of itwaits',
      '·Read back and comparewaits',
      '·Write and read back the partition tableswaits',
    ]);
    expect(main.of('flash.disks')).toEqual([]);
  });

  it('a rate that falls to nothing has no remaining time, and nothing is ever 100 % before its end', async () => {
    const now = writing();
    const main = flashMain([now], { chosen: CHOSEN });
    await show(Flash, main);
    told(main, now, { perSecond: 0, remainingSeconds: null, fraction: 0.9996 });
    expect(card().textContent).toContain('3 GB of 14 GB · 0 B/s · remaining unknown99.9 %');
    // A disk that cannot unmap is written full of zeros, which is none of the image's bytes.
    told(main, now, { perSecond: 0, remainingSeconds: null, zeroing: true });
    expect(card().textContent).toContain(
      '3 GB of 14 GB · 0 B/s · remaining unknown · zeroing what the image leaves empty',
    );
  });

  it('a window that was loaded anew shows what the log says until main tells more', async () => {
    const main = flashMain([writing()], { chosen: CHOSEN });
    await show(Flash, main);
    expect(card().textContent).toMatch(/Write[\d.]+ MB of [\d.]+ MB · rate unknown · remaining unknown/);
    expect(card().textContent).toContain(IMAGE);
    expect(screen.getByRole('progressbar').getAttribute('aria-label')).toBe('Write, how far is not known');
  });

  it('the progress of another attempt is not taken for this one', async () => {
    const now = writing();
    const main = flashMain([now], { chosen: CHOSEN });
    await show(Flash, main);
    told(main, { ...now, row: { ...now.row, attempt: 7 } }, {});
    expect(card().textContent).not.toContain('14 GB');
  });

  it('says what it waits for, and what a person should know', async () => {
    const now = writing();
    const last = JSON.parse(now.lines.at(-1) ?? '') as { seq: number };
    const line = (n: number, fields: object) => JSON.stringify({ ...last, seq: last.seq + n, ...fields });
    const note = '312 chunks of this image were written to this target before; they are read back.';
    const waiting = {
      kind: 'waiting',
      for: 'other job',
      detail: 'the writer of the attempt before ends',
      state: 'begin',
    };
    const lines = [
      ...now.lines,
      line(1, { kind: 'log', step: null, stream: 'note', text: note }),
      line(2, waiting),
    ];
    await show(Flash, flashMain([{ ...now, lines }], { chosen: CHOSEN }));
    screen.getByText(note);
    expect(card().textContent).toContain('the writer of the attempt before ends');
  });

  it('says where the dialog for the password is while permission is asked for', async () => {
    const now = flashed('running', (line) => line.includes('"id":"look"') && line.includes('"state":"end"'));
    const last = JSON.parse(now.lines.at(-1) ?? '') as { seq: number };
    const step = { kind: 'step', id: 'permit', title: 'Get permission to write', state: 'begin' };
    const lines = [...now.lines, JSON.stringify({ ...last, ...step, seq: last.seq + 1, outcome: null })];
    await show(Flash, flashMain([{ ...now, lines }], { chosen: CHOSEN }));
    screen.getByText(/Its dialog may be behind this window/);
    expect(phases().slice(0, 3)).toEqual([
      '✓Look at the imagedone',
      '▶Get permission to writerunning',
      '·Make the disk unable to startwaits',
    ]);
  });

  it('is stopped only after a second press that says what it means; Esc stops nothing', async () => {
    const main = flashMain([writing()], { chosen: CHOSEN }).answer('flash.cancel', () => undefined);
    const { user } = await show(Flash, main);
    await user.click(button('Cancel…'));
    screen.getByText(/it starts no machine until a flash of it is finished/);
    await user.keyboard('{Escape}');
    expect(main.of('flash.cancel')).toEqual([]);
    await user.click(button('Cancel…'));
    await user.click(button('Stop the flash'));
    expect(main.of('flash.cancel')).toEqual([{ session: SESSION }]);
    screen.getByText(/^Stopping\. What is on its way to the disk/);
  });
});

describe('verified', () => {
  it('says what shows it and what to do now, and the way on is open', async () => {
    await show(Flash, flashMain([flashed()], { chosen: CHOSEN }));
    screen.getByRole('heading', { name: `${NAME} (${SERIAL}) is written and verified` });
    const text = screen.getByRole('region', { name: /is written and verified/ }).textContent;
    expect(text).toMatch(/pass Read back50\.3 MB/);
    expect(text).toMatch(/pass Disk hash[0-9a-f]{64}as manifest.json says/);
    screen.getByText('Unplug the disk from this laptop.');
    expect(button('Next: Connect')).toHaveProperty('disabled', false);
  });

  it('without a manifest says that the hash was compared with nothing', async () => {
    const done = flashed();
    const change = { verdict: 'not_run', threshold: null, reason: 'no manifest.json lay beside the image' };
    const lines = done.lines.map((line) => {
      const event = JSON.parse(line) as { check?: { id: string } };
      if (event.check?.id !== 'flash_disk_hash') return line;
      return JSON.stringify({ ...event, check: { ...event.check, ...change } });
    });
    await show(Flash, flashMain([{ ...done, lines }], { chosen: CHOSEN }));
    screen.getByText('no manifest.json lay beside the image');
  });

  it('another disk can be flashed, and the way back to the result stays', async () => {
    const done = [flashed()];
    const other = disk({ serial: 'OTHER-0001', path: '/dev/sdb' });
    const main = flashMain(done, { chosen: CHOSEN, disks: [disk(), other] });
    const { user } = await show(Flash, main);
    await user.click(button('Flash again…'));
    await screen.findByText('2 disks can be flashed.');
    await user.click(screen.getAllByRole('radio')[1] as HTMLElement);
    const choice = { image: IMAGE, serial: 'OTHER-0001' };
    await waitFor(() => expect(main.of('flash.choose')).toEqual([{ session: SESSION, choice }]));
    await user.click(button('Back to the result'));
    await screen.findByText(/is written and verified/);
  });
});

describe('not at its end', () => {
  const open = async (recording: Recording) => {
    const page = await show(Flash, flashMain([recording], { chosen: CHOSEN }));
    await screen.findByText('1 disk can be flashed.');
    await screen.findByText('vault-cube-demo-box 1.0');
    return page;
  };

  it('a failure has its sentence and its next action, and the same flash goes on', async () => {
    const facts = { target: `${NAME} (${SERIAL})`, detail: 'ENODEV.' };
    const { user } = await open(ended('failed', 'flash_target_gone', facts));
    const alert = screen.getByRole('alert');
    expect(alert.textContent).toContain(`${NAME} (${SERIAL}) went away while it was written`);
    expect(alert.textContent).toContain('it goes on where it stood');
    await user.click(button('Go on with the flash…'));
    button(`Erase and write ${NAME} …7F3A`);
  });

  it('facts of the next action are those that were recorded', async () => {
    await open(ended('failed', 'flash_sectors', { target: NAME, disk: 4096, image: 512 }));
    expect(screen.getByRole('alert').textContent).toContain('Use a disk with sectors of 512 bytes');
    // It would end the same way: it does not go on, it begins anew.
    button('What will be lost…');
  });

  it('one that was stopped is no error', async () => {
    const detail = 'It starts no machine until a flash of it is finished.';
    await open(ended('cancelled', 'flash_cancelled', { target: NAME, detail }));
    expect(screen.queryByRole('alert')).toBeNull();
    screen.getByText(new RegExp(`^The flash of ${NAME} was stopped`));
    button('Go on with the flash…');
  });

  it('one whose app was killed says that it goes on', async () => {
    const lost = writing();
    await open({ ...lost, row: { ...lost.row, state: 'lost' } });
    expect(screen.getByRole('alert').textContent).toContain('the app ended before the flash did');
    button('Go on with the flash…');
  });

  it('with another disk chosen it is a new flash', async () => {
    const lost = writing();
    const chosen = { image: IMAGE, serial: 'OTHER-0001' };
    const row = { ...lost.row, state: 'lost' as const };
    await show(Flash, flashMain([{ ...lost, row }], { chosen, disks: [disk({ serial: 'OTHER-0001' })] }));
    await screen.findByText('1 disk can be flashed.');
    await waitFor(() => expect(button('What will be lost…')).toHaveProperty('disabled', false));
  });
});

describe('the steps of this path', () => {
  const states = (recordings: Recording[], chosen = CHOSEN) =>
    Object.fromEntries(flashBox(recordings, { flash: chosen }).steps.map((s) => [s.id, s.state]));

  it('begin with Flash, and Connect opens with the first that is verified', () => {
    expect(Object.keys(states([]))[0]).toBe('flash');
    expect(states([])).toMatchObject({ flash: 'ready', connect: 'blocked' });
    expect(states([writing()])).toMatchObject({ flash: 'running', connect: 'blocked' });
    expect(states([ended('failed', 'flash_busy', { target: NAME })])).toMatchObject({
      flash: 'failed',
      connect: 'blocked',
    });
    expect(states([flashed()])).toMatchObject({ flash: 'done', connect: 'ready' });
  });

  it('what was flashed is out of date when another disk or image was chosen since', () => {
    expect(states([flashed()], { ...CHOSEN, serial: 'OTHER-0001' })).toMatchObject({
      flash: 'stale',
      connect: 'ready',
    });
  });
});
