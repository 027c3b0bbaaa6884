/** Ends the job on the box, after a second press. Esc closes the question and cancels nothing. */
import { Text } from '@mantine/core';
import { useState } from 'react';
import { AskFirst } from './AskFirst.tsx';
import type { BoxState } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { useAction } from './useAction.ts';

export function CancelJob({ box }: { box: BoxState }) {
  const action = useAction();
  const [open, setOpen] = useState(false);
  /** The attempt that was asked to end: its end takes a while. */
  const [asked, setAsked] = useState<string | null>(null);
  const { active } = box;
  if (!active) return null;
  const id = `${active.job}/${active.attempt}`;
  const title =
    box.jobs.find((r) => r.job === active.job && r.attempt === active.attempt)?.title ?? 'the job';
  const cancel = async () => {
    if (!(await action.run(() => call('box.cancel', { session: box.session.id })))) return;
    setAsked(id);
    setOpen(false);
  };
  if (asked === id) {
    return (
      <Text size="sm" role="status">
        Cancelling. apt ends its current dpkg step first.
      </Text>
    );
  }
  return (
    <AskFirst
      label="Cancel…"
      opened={open}
      onChange={setOpen}
      width={340}
      question={`End "${title}" on the box?`}
      text="What is done stays done. apt ends its current dpkg step first. The run can be started again at any time."
      confirm="Cancel the run"
      onConfirm={() => void cancel()}
      action={action}
    />
  );
}
