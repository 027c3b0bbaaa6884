/** Events as lines, a long list of which little is in the page, the glance at the GPUs, and the commands of Ctrl+K. */
import { act, screen } from '@testing-library/react';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseEvent } from '../../preload/contract/events.ts';
import { changesBetween } from '../../renderer/components/Announcer.tsx';
import { Commands } from '../../renderer/components/Commands.tsx';
import { EventList } from '../../renderer/components/EventList.tsx';
import { glanceOf, GpuSummary } from '../../renderer/components/GpuSummary.tsx';
import { RawLog } from '../../renderer/components/RawLog.tsx';
import { isTold, lineOf } from '../../renderer/events.ts';
import { useDesk } from '../../renderer/stores/desk.ts';
import { useFrame } from '../../renderer/stores/frame.ts';
import { marking } from '../../renderer/words.ts';
import { BEFORE_KEYS, boxWith } from './boxes.ts';
import { FakeMain } from './main.ts';
import { put } from './page.tsx';
import { boxOf, recorded } from './recordings.ts';

const eventsOf = (name: string) => recorded(name).lines.map(parseEvent);
const HEIGHT = 300;

beforeAll(() => {
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { get: () => HEIGHT, configurable: true });
  return () => Reflect.deleteProperty(HTMLElement.prototype, 'clientHeight');
});

describe('events as lines', () => {
  it('say what the tool said, for every event of recorded jobs', () => {
    for (const name of ['preflight', 'l0-fetch', 'l1-install', 'l0-health-failed', 'gpu-detection']) {
      for (const event of eventsOf(name)) {
        expect(isTold(event)).toBe(!['beat', 'samples', 'progress'].includes(event.kind));
        const { text, time } = lineOf(event);
        expect(text).toMatch(/\S/);
        expect(text).not.toMatch(/undefined|null|NaN|\[object/);
        expect(time).toMatch(/^\d\d:\d\d:\d\d$/);
      }
    }
  });

  it('mark what failed, and only that', () => {
    const bad = eventsOf('l0-health-failed')
      .map(lineOf)
      .filter((l) => l.bad);
    expect(bad.map((l) => l.kind)).toEqual(['check']);
    expect(bad[0]?.text).toMatch(/^Ansible on the box answers: fail \(ERROR: Ansible requires/);
    expect(
      eventsOf('l1-install')
        .map(lineOf)
        .filter((l) => l.bad),
    ).toEqual([]);
  });

  it('name a kind of a newer runner, which stands in the raw log', () => {
    const [first = ''] = recorded('l0-fetch').lines;
    const odd = parseEvent(JSON.stringify({ ...JSON.parse(first), kind: 'aurora' }));
    expect(lineOf(odd)).toMatchObject({
      kind: 'aurora',
      text: 'a kind this version does not know; see the raw log',
    });
  });
});

describe('a long list', () => {
  const { row, lines } = recorded('l1-install');
  const log = Array.from({ length: 3_000 }, (_, at) => {
    const event = JSON.parse(lines[at % lines.length] ?? '') as object;
    return JSON.stringify({ ...event, seq: at + 1 });
  });
  const long = boxOf([{ row, lines: log }]);
  const { job, attempt } = row;
  const raw = (fake: FakeMain) =>
    put(<RawLog session={long.session.id} job={job} attempt={attempt} count={log.length} />, fake);
  const main = () => new FakeMain().serve(long, [{ row, lines: log }]);
  const shown = () => Array.from(document.querySelectorAll('.line'), (l) => l.textContent);

  it('has only the lines in sight in the page', async () => {
    await raw(main());
    expect(shown().length).toBeLessThan(60);
    expect(shown().length).toBeGreaterThan(10);
  });

  it('shows others when it is scrolled, as they were written, and asks for no more than those', async () => {
    const fake = main();
    await raw(fake);
    const list = screen.getByRole('log');
    await act(async () => {
      list.scrollTop = 20 * 1000;
      list.dispatchEvent(new Event('scroll', { bubbles: true }));
    });
    expect(shown()).toContain(log[1_005]);
    expect(shown()).not.toContain(log[900]);
    const asked = fake.of('job.lines') as { after: number; limit: number }[];
    expect(Math.max(...asked.map((a) => a.limit))).toBeLessThan(500);
    expect(new Set(asked.map((a) => a.after)).size).toBe(asked.length);
    expect(asked.length).toBeLessThan(5);
  });

  it('says what will stand there when there is nothing', async () => {
    await put(<EventList events={[]} />, new FakeMain());
    screen.getByText(/^No job has run on this box yet/);
  });
});

describe('the glance at the GPUs', () => {
  it('has the newest temperature of each and their power together', async () => {
    const samples = eventsOf('gpu-detection').findLast((e) => e.kind === 'samples') ?? null;
    const glance = glanceOf(samples);
    expect(glance?.temperatures).toHaveLength(2);
    expect(glance?.watts).toBeGreaterThan(50);
    await put(<GpuSummary samples={samples} />, new FakeMain());
    const [a, b] = glance?.temperatures ?? [];
    screen.getByText(new RegExp(`^GPU ${a}° ${b}° · \\d+ W$`));
  });

  it('is absent while no samples come', () => {
    expect(glanceOf(null)).toBeNull();
    expect(glanceOf(eventsOf('l0-fetch')[0] ?? null)).toBeNull();
  });
});

describe('the commands', () => {
  it('are found by their letters and run by Enter, only those that are possible', async () => {
    useDesk.setState({ box: boxWith([recorded('preflight')], BEFORE_KEYS), step: 'preflight' });
    useFrame.setState({ dialog: 'commands' });
    const { user } = await put(<Commands />, new FakeMain());
    const names = () => screen.queryAllByRole('option').map((o) => o.textContent);
    expect(names()).toContain('Go to KeysCtrl+3');
    expect(names().join()).not.toContain('Go to Provision');
    expect(names()).not.toContain('Resume');
    await user.keyboard('raw');
    expect(names()).toEqual(['Raw log']);
    await user.keyboard('{Enter}');
    expect(useFrame.getState()).toMatchObject({ dialog: null, dock: true, tab: 'log' });
  });

  it('are chosen by the arrow keys', async () => {
    useDesk.setState({ box: boxWith([recorded('preflight')], BEFORE_KEYS), step: 'preflight' });
    const { user } = await put(<Commands />, new FakeMain());
    await user.keyboard('go to{ArrowDown}{ArrowDown}');
    expect(screen.getByRole('option', { selected: true }).textContent).toBe('Go to KeysCtrl+3');
    await user.keyboard('{ArrowUp}{ArrowUp}{ArrowUp}');
    expect(screen.getByRole('option', { selected: true }).textContent).toBe('Go to ReportCtrl+6');
    await user.keyboard('{Enter}');
    expect(useDesk.getState().step).toBe('report');
  });

  it('say so when none fits', async () => {
    const { user } = await put(<Commands />, new FakeMain());
    await user.keyboard('zzz{Enter}');
    screen.getByText('No command has these letters.');
  });
});

describe('what is told and marked', () => {
  it('are the changes of steps and link, in words', () => {
    const before = boxWith([recorded('preflight')], BEFORE_KEYS);
    const after = boxOf([recorded('preflight'), recorded('keys')], {
      link: { state: 'reconnecting', detail: '', rttMs: null },
    });
    expect(changesBetween(before, before)).toEqual([]);
    expect(changesBetween(before, after)).toEqual([
      'Keys: done',
      'Provision: ready',
      'Validate: ready',
      'Link: reconnecting',
    ]);
  });

  it('a practice box is PRACTICE whatever it measured, a rig is STAND-IN, a real box nothing', () => {
    const { standing } = boxOf([recorded('preflight')]);
    expect(marking({ practice: true, standing: { ...standing, evidence: 'real' } })).toBe('PRACTICE');
    expect(marking({ practice: false, standing })).toBe('STAND-IN');
    expect(marking({ practice: false, standing: { ...standing, evidence: 'real' } })).toBeNull();
    expect(marking({ practice: false, standing: { ...standing, evidence: null } })).toBeNull();
  });
});
