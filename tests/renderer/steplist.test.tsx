/** The list of steps: state as icon and word, reasons, and the way to each that can be reached. */
import { act, screen } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import { StepList } from '../../renderer/components/StepList.tsx';
import { useShortcuts } from '../../renderer/components/useShortcuts.ts';
import { useDesk } from '../../renderer/stores/desk.ts';
import { useFrame } from '../../renderer/stores/frame.ts';
import { boxWith, BEFORE_KEYS, withCheck } from './boxes.ts';
import { FakeMain } from './main.ts';
import { put } from './page.tsx';
import { recorded } from './recordings.ts';

const box = boxWith([recorded('preflight')], BEFORE_KEYS);

function Shown() {
  useShortcuts();
  const step = useDesk((s) => s.step);
  return (
    <>
      <StepList box={box} step={step} />
      <div data-region="main" tabIndex={-1}>
        <input aria-label="In the step" />
        <div className="xterm">
          <textarea aria-label="Shell" />
        </div>
      </div>
    </>
  );
}

beforeEach(() => useDesk.setState({ box, step: 'preflight' }));

const step = (name: RegExp) => screen.getByRole('button', { name });

describe('the steps', () => {
  it('stand in order, each with its state in a word', async () => {
    await put(<Shown />, new FakeMain());
    expect(screen.getAllByRole('listitem').map((li) => li.textContent)).toEqual([
      '✓Connectdone1',
      '✓Preflightdone2',
      '○Keysready3',
      '·Provisionblocked4Keys come first.',
      '·Validateblocked5Keys come first.',
      '○Reportready6',
    ]);
    expect(step(/Preflight/).getAttribute('aria-current')).toBe('step');
  });

  it('wait for what preflight wants cleared first', async () => {
    const full = withCheck(recorded('preflight'), 'pf_free_space', { verdict: 'fail', value: '2 GiB' });
    const stopped = boxWith([full], BEFORE_KEYS);
    useDesk.setState({ box: stopped });
    await put(<StepList box={stopped} step="preflight" />, new FakeMain());
    expect(step(/Preflight/).textContent).toContain('failed');
    expect(step(/Keys/).textContent).toContain('blocked');
    const said = document.getElementById(step(/Keys/).getAttribute('aria-describedby') ?? '');
    expect(said?.textContent).toMatch(/^Preflight found a blocker: Free space/);
  });

  it('are shown by a click, but for one that is blocked, which says why on focus', async () => {
    const { user } = await put(<Shown />, new FakeMain());
    await user.click(step(/Keys/));
    expect(useDesk.getState().step).toBe('keys');
    await user.click(step(/Provision/));
    expect(useDesk.getState().step).toBe('keys');
    expect(step(/Provision/).getAttribute('aria-disabled')).toBe('true');
    const said = document.getElementById(step(/Provision/).getAttribute('aria-describedby') ?? '');
    expect(said?.textContent).toBe('Keys come first.');
    act(() => step(/Validate/).focus());
    expect((await screen.findByRole('tooltip')).textContent).toBe('Keys come first.');
  });

  it('are reached by Ctrl and their number from anywhere', async () => {
    const { user } = await put(<Shown />, new FakeMain());
    await user.click(screen.getByLabelText('In the step'));
    await user.keyboard('{Control>}3{/Control}');
    expect(useDesk.getState().step).toBe('keys');
    await user.keyboard('{Control>}4{/Control}');
    expect(useDesk.getState().step).toBe('keys');
    await user.keyboard('{Control>}1{/Control}');
    expect(useDesk.getState().step).toBe('connect');
  });
});

describe('the keys of the frame', () => {
  it('open the dock and the commands; in a shell Ctrl+K is the shell’s', async () => {
    const { user } = await put(<Shown />, new FakeMain());
    await user.click(screen.getByLabelText('Shell'));
    await user.keyboard('{Control>}[KeyK]{/Control}');
    expect(useFrame.getState().dialog).toBeNull();
    await user.keyboard('{Control>}[Backquote]{/Control}');
    expect(useFrame.getState().dock).toBe(true);
    await user.keyboard('{Control>}[Backquote]{/Control}');
    expect(useFrame.getState().dock).toBe(false);
    await user.click(screen.getByLabelText('In the step'));
    await user.keyboard('{Control>}[KeyK]{/Control}');
    expect(useFrame.getState().dialog).toBe('commands');
  });

  it('F6 goes from region to region and back', async () => {
    const { user } = await put(<Shown />, new FakeMain());
    act(() => step(/Preflight/).focus());
    await user.keyboard('{F6}');
    expect(document.activeElement).toBe(screen.getByLabelText('In the step'));
    await user.keyboard('{Shift>}{F6}{/Shift}');
    expect(document.activeElement).toBe(step(/Preflight/));
  });

  it('do nothing while a question is open, and Esc never does', async () => {
    const { user } = await put(<Shown />, new FakeMain());
    await user.keyboard('{Escape}');
    expect(useDesk.getState().step).toBe('preflight');
    const asked = {
      ask: crypto.randomUUID(),
      session: box.session.id,
      secret: 'passphrase',
      prompt: 'passphrase',
    };
    act(() => useDesk.setState({ asks: [{ kind: 'secret', ...asked }] }));
    await user.keyboard('{Control>}3{/Control}');
    expect(useDesk.getState().step).toBe('preflight');
  });
});
