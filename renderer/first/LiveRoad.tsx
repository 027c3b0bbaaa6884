/** How a box is brought into a live system that this laptop can log in to, for the path *flash over the network*. */
import { List, Paper, Stack, Text, Title } from '@mantine/core';
import { Command } from '../components/Command.tsx';

export function LiveRoad() {
  return (
    <Paper withBorder p="lg" component="section" aria-labelledby="live-road">
      <Stack gap="sm">
        <Title order={2} size="h4" id="live-road">
          Bring the box into its live system
        </Title>
        <List size="sm" spacing="xs" type="ordered">
          <List.Item>
            Write Ubuntu Server&apos;s ISO to a stick, with any program that writes one. On Linux this
            app&apos;s command line can, and reads the stick back; the guide has the two commands.
          </List.Item>
          <List.Item>
            Start the box from it. Do not begin its installer: under Help, choose <i>Enter shell</i>.
          </List.Item>
          <List.Item>There, set a password for the login, and read the address:</List.Item>
        </List>
        <Command text="passwd ubuntu-server" />
        <Command text="ip -brief address" />
        <Text size="sm">
          Its host key is compared with this console at the first login. Nothing is written before disk and
          image were chosen and the end of the disk&apos;s serial was typed.
        </Text>
      </Stack>
    </Paper>
  );
}
