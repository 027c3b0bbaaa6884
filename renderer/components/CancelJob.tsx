/** Ends the job on the box, after a second press. Esc closes the question and cancels nothing. */
import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { AskFirst } from './AskFirst.tsx';
import type { BoxState } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { ErrorView } from './ErrorView.tsx';
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
    <AskFirst label="Cancel…" opened={open} onChange={setOpen} position="top-end" width={340}>
      <Text size="sm" fw={600}>
        End "{title}" on the box?
      </Text>
      <Text size="sm" mt={4}>
        What is done stays done. apt ends its current dpkg step first. The run can be started again at any
        time.
      </Text>
      {action.error && <ErrorView error={action.error} />}
      <Group gap="xs" mt="sm" justify="flex-end">
        <Button size="compact-sm" variant="default" onClick={() => setOpen(false)} data-autofocus>
          Keep it running
        </Button>
        <Button size="compact-sm" variant="default" loading={action.busy} onClick={() => void cancel()}>
          Cancel the run
        </Button>
      </Group>
    </AskFirst>
  );
}
