/** Where the window is, told to main so that a kill or a crash comes back to it; and entering a box, which follows its job again. */
import type { Place } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { openBox, showStep, useDesk } from './desk.ts';
import { attempt } from './frame.ts';

/** Opens a box; a job that is on its way there and is not followed here, is followed again (spec W8). */
export async function enterBox(session: string): Promise<void> {
  await openBox(session);
  const { box } = useDesk.getState();
  if (box?.active && !box.following && box.resumable) void attempt(() => call('box.resume', { session }));
}

/** Back to where the window was, if it was in a box. */
export async function goToLastPlace(): Promise<void> {
  const last = await call('place.last', undefined);
  if (last?.session == null) return;
  await enterBox(last.session);
  const step = useDesk.getState().box?.steps.find((s) => s.id === last.step);
  if (step && step.state !== 'blocked') showStep(step.id);
}

/** Tells main of every change from now on. Returns what ends it. */
export function keepPlace(): () => void {
  const now = (): Place => {
    const { box, step } = useDesk.getState();
    return { session: box?.session.id ?? null, step };
  };
  let kept = now();
  return useDesk.subscribe(() => {
    const next = now();
    if (next.session === kept.session && next.step === kept.step) return;
    kept = next;
    void attempt(() => call('place.keep', next));
  });
}
