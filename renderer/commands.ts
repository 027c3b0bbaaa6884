/** What Ctrl+K offers, as the box stands. Pure, but for what a command does when it is run. */
import type { BoxState } from '../preload/contract/calls.ts';
import { closeBox, showStep } from './stores/desk.ts';
import { attempt, openDialog, showTab, toggleDock } from './stores/frame.ts';
import { openImages } from './stores/openimages.ts';
import { resumeRun } from './told.ts';

export interface Command {
  title: string;
  keys: string | null;
  run: () => void;
}

function ofBox(box: BoxState): Command[] {
  const session = box.session.id;
  const steps = box.steps.map((step, at) => ({ step, keys: `Ctrl+${at + 1}` }));
  const reachable = steps.filter(({ step }) => step.state !== 'blocked');
  return [
    ...reachable.map(({ step, keys }) => ({
      title: `Go to ${step.title}`,
      keys,
      run: () => showStep(step.id),
    })),
    ...(box.resumable && !box.following
      ? [{ title: 'Resume', keys: null, run: () => void attempt(() => resumeRun(session)) }]
      : []),
    { title: 'Show or hide the dock', keys: 'Ctrl+`', run: toggleDock },
    { title: 'Terminal', keys: null, run: () => showTab('terminal') },
    { title: 'GPU charts', keys: null, run: () => showTab('charts') },
    { title: 'Events', keys: null, run: () => showTab('events') },
    { title: 'Raw log', keys: null, run: () => showTab('log') },
    ...(box.session.hostKey
      ? [{ title: 'Forget host key…', keys: null, run: () => openDialog('forgetHostKey') }]
      : []),
    { title: 'All boxes', keys: null, run: () => void attempt(closeBox) },
  ];
}

export function commandsFor(box: BoxState | null): Command[] {
  return [
    ...(box ? ofBox(box) : []),
    { title: 'Golden images', keys: null, run: () => void attempt(openImages) },
    { title: 'About', keys: null, run: () => openDialog('about') },
  ];
}
