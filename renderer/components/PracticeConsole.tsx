/** What stands on the practice box's console: an engineer on site reads it there, here it is beside the step. */
import { Code, Paper, Text, Title } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { CallOutput } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';

export function PracticeConsole({ session }: { session: string }) {
  const [shown, setShown] = useState<CallOutput<'practice.console'>>(null);
  useEffect(() => {
    let gone = false;
    void call('practice.console', { session }).then((found) => {
      if (!gone) setShown(found);
    });
    return () => {
      gone = true;
    };
  }, [session]);
  if (!shown) return null;
  return (
    <Paper withBorder p="md" aria-labelledby="practice-console" component="section">
      <Title order={3} size="h5" id="practice-console">
        Console of the practice box
      </Title>
      <Text size="sm" mt={4}>
        On site this stands on the box&apos;s own screen.
      </Text>
      <Code block mt="xs">
        {`login: ${shown.user}\npassword: ${shown.password}\n$ ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n${shown.fingerprint}`}
      </Code>
    </Paper>
  );
}
