/** Ends the flash, after a second press that says what it means. Esc closes the question and ends nothing. */
import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { AskFirst } from '../../components/AskFirst.tsx';
import { call } from '../../api.ts';
import { ErrorView } from '../../components/ErrorView.tsx';
import { useAction } from '../../components/useAction.ts';

export function StopFlash({ session }: { session: string }) {
  const action = useAction();
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState(false);
  const stop = async () => {
    if (!(await action.run(() => call('flash.cancel', { session })))) return;
    setAsked(true);
    setOpen(false);
  };
  if (asked)
    return (
      <Text size="sm" role="status">
        Stopping. What is on its way to the disk is brought home first.
      </Text>
    );
  return (
    <AskFirst label="Cancel…" opened={open} onChange={setOpen} position="top-end" width={360}>
      <Text size="sm" fw={600}>
        Stop the flash?
      </Text>
      <Text size="sm" mt={4}>
        What the disk had on it is lost already, and it starts no machine until a flash of it is finished. The
        same flash goes on where it stood.
      </Text>
      {action.error && <ErrorView error={action.error} />}
      <Group gap="xs" mt="sm" justify="flex-end">
        <Button size="compact-sm" variant="default" onClick={() => setOpen(false)} data-autofocus>
          Keep it running
        </Button>
        <Button size="compact-sm" variant="default" loading={action.busy} onClick={() => void stop()}>
          Stop the flash
        </Button>
      </Group>
    </AskFirst>
  );
}
