/** Ends the flash, after a second press that says what it means. Esc closes the question and ends nothing. */
import { Text } from '@mantine/core';
import { useState } from 'react';
import { AskFirst } from '../../components/AskFirst.tsx';
import { call } from '../../api.ts';
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
    <AskFirst
      label="Cancel…"
      opened={open}
      onChange={setOpen}
      width={360}
      question="Stop the flash?"
      text="What the disk had on it is lost already, and it starts no machine until a flash of it is finished. The same flash goes on where it stood."
      confirm="Stop the flash"
      onConfirm={() => void stop()}
      action={action}
    />
  );
}
