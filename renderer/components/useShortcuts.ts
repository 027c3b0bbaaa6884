/** The keys of the frame: Ctrl+1…6 steps, Ctrl+` dock, Ctrl+K commands, F6 from region to region. Esc is nobody's: it ends no job. */
import { useEffect } from 'react';
import { showStep, useDesk } from '../stores/desk.ts';
import { openDialog, toggleDock, useFrame } from '../stores/frame.ts';

/** Where a region is entered, the best first. */
const ENTRIES = [
  '[aria-current="step"]',
  '[aria-selected="true"]',
  'input:not([disabled])',
  'button:not([disabled])',
  '[tabindex="0"]',
];
const REGIONS = ['top', 'steps', 'main', 'dock'];

function focusRegion(by: 1 | -1): void {
  const all = REGIONS.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter(
    (element) => element !== null,
  );
  const here = all.findIndex((element) => element.contains(document.activeElement));
  const next = all[(here + by + all.length) % all.length] ?? all[0];
  // What is kept but not shown, such as the shells of a closed dock, takes no focus.
  const inside = ENTRIES.flatMap((entry) => [...(next?.querySelectorAll<HTMLElement>(entry) ?? [])]).find(
    (element) => element.checkVisibility(),
  );
  (inside ?? next)?.focus();
}

function handle(event: KeyboardEvent): boolean {
  const { box } = useDesk.getState();
  const plain = event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
  if (event.key === 'F6') {
    focusRegion(event.shiftKey ? -1 : 1);
    return true;
  }
  if (!plain) return false;
  if (event.code === 'Backquote') {
    const inDock = document.activeElement?.closest('[data-region="dock"]') != null;
    if (box) toggleDock();
    // The step is what is left to look at.
    if (inDock) document.getElementById('step-title')?.focus();
    return true;
  }
  // The shell has Ctrl+K of its own: it deletes to the end of the line.
  const inShell = event.target instanceof Element && event.target.closest('.xterm') !== null;
  if (event.code === 'KeyK' && !inShell) {
    openDialog('commands');
    return true;
  }
  const step = /^Digit[1-9]$/.test(event.code) ? box?.steps[Number(event.code.slice(5)) - 1] : undefined;
  if (!step) return false;
  if (step.state !== 'blocked') showStep(step.id);
  return true;
}

export function useShortcuts(): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      // A question or a dialog is answered first.
      if (useFrame.getState().dialog !== null || useDesk.getState().asks.length > 0) return;
      if (!handle(event)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener('keydown', listener, { capture: true });
    return () => window.removeEventListener('keydown', listener, { capture: true });
  }, []);
}
