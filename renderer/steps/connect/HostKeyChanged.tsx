/** The host key is not the one that was pinned: what it can mean, how to tell, and the way on when the box was installed anew. */
import { Alert, Button, List, Stack, Text } from '@mantine/core';
import { Command } from '../../components/Command.tsx';
import { openDialog } from '../../stores/frame.ts';

export function HostKeyChanged() {
  return (
    <Alert color="gray" title="Which of these is it?">
      <Stack gap="xs">
        <List size="sm" spacing={4}>
          <List.Item>
            <b>The box was installed or flashed anew.</b> It has a new key by then. Compare it with the
            console, forget the old one, and connect again.
          </List.Item>
          <List.Item>
            <b>Another machine answers at this address.</b> Change the address, or give that machine a name of
            its own.
          </List.Item>
          <List.Item>
            <b>Somebody is in between.</b> Take the cable straight from laptop to box, and compare again.
          </List.Item>
        </List>
        <Text size="sm">On the box&apos;s console:</Text>
        <Command text="ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" />
        <div>
          <Button variant="default" onClick={() => openDialog('forgetHostKey')}>
            Forget host key…
          </Button>
        </div>
      </Stack>
    </Alert>
  );
}
