/** Where the window is, told to main so that a kill or a crash comes back to it; and entering a box, which follows its job again. */
import type { BoxState, Place } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { resumeRun } from '../told.ts';
import { change, openBox, showStep, useDesk } from './desk.ts';
import { attempt } from './frame.ts';

/** Takes up the link and goes on with the run: what it needs is asked for, what it ends with is shown above the steps. */
async function goOn({ session, link }: BoxState): Promise<void> {
  const { id } = session;
  // A UID swap wants nobody logged in; its run takes up the link itself.
  if (session.keys && link.state === null && session.run?.command !== 'uid-swap') {
    await change(call('box.connect', { session: id, login: { kind: 'session' } }));
  }
  await resumeRun(id);
}

/**
 * Opens a box. A job that is on its way there and is not followed here, is followed again (spec W8); with `resume` a run
 * that was interrupted goes on, too.
 */
export async function enterBox(session: string, opts: { resume?: boolean } = {}): Promise<void> {
  await openBox(session);
  const { box } = useDesk.getState();
  if (!box?.resumable || box.following) return;
  if (box.active || opts.resume) void attempt(() => goOn(box));
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
