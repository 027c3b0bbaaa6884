/** Tells a screen reader, politely, when a step or the link changes, and what a check found. Shows nothing. */
import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { BoxState } from '../../preload/contract/calls.ts';
import { jobKey, useDesk } from '../stores/desk.ts';
import { linkWord, STEP_LOOKS } from '../words.ts';

/** What changed between two states of the same box, in words. Pure. */
export function changesBetween(before: BoxState, now: BoxState): string[] {
  const steps = now.steps
    .filter((s) => before.steps.find((b) => b.id === s.id)?.state !== s.state)
    .map((s) => `${s.title}: ${STEP_LOOKS[s.state].word}`);
  const link = before.link.state === now.link.state ? [] : [`Link: ${linkWord(now.link)}`];
  return [...steps, ...link];
}

export function Announcer({ box }: { box: BoxState }) {
  const before = useRef(box);
  const [said, setSaid] = useState('');
  const { active } = box;
  const check = useDesk((s) =>
    active ? (s.jobs[jobKey(active.job, active.attempt)]?.view.checks.at(-1) ?? null) : null,
  );
  useEffect(() => {
    const changes = changesBetween(before.current, box);
    before.current = box;
    if (changes.length) setSaid(changes.join('. '));
  }, [box]);
  useEffect(() => {
    if (check) setSaid(`${check.title}: ${check.verdict.replace('_', ' ')}`);
  }, [check]);
  return (
    <VisuallyHidden role="status" aria-live="polite">
      {said}
    </VisuallyHidden>
  );
}
