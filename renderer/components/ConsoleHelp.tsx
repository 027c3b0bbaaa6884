/** When nothing is found: two commands for the box's console, and the address this laptop then needs, by its system. */
import { List, Stack, Tabs, Text } from '@mantine/core';
import { Command } from './Command.tsx';

export function ConsoleHelp() {
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>
        On the box&apos;s console
      </Text>
      <Command text="ip -brief address" />
      <Text size="xs" c="dimmed">
        Shows the name of the port with the cable and its address. It has none? Give it one, with that name in
        place of eno1:
      </Text>
      <Command text="sudo ip address add 192.168.10.20/24 dev eno1" />
      <Text size="sm" fw={600} mt="xs">
        On this laptop
      </Text>
      <Text size="xs" c="dimmed">
        An address in the same network, here 192.168.10.1. Then type 192.168.10.20 as the box&apos;s address.
      </Text>
      <Tabs defaultValue={navigator.userAgent.includes('Windows') ? 'windows' : 'linux'} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="linux">Linux</Tabs.Tab>
          <Tabs.Tab value="windows">Windows</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="linux" pt="xs">
          <Command text="sudo ip address add 192.168.10.1/24 dev eth0" />
          <Text size="xs" c="dimmed">
            &quot;ip -brief link&quot; shows the port&apos;s name in place of eth0.
          </Text>
        </Tabs.Panel>
        <Tabs.Panel value="windows" pt="xs">
          <Command text='netsh interface ipv4 set address "Ethernet" static 192.168.10.1 255.255.255.0' />
          <Text size="xs" c="dimmed">
            In a terminal run as administrator. Afterwards, to go back:
          </Text>
          <Command text='netsh interface ipv4 set address "Ethernet" dhcp' />
        </Tabs.Panel>
      </Tabs>
      <List size="xs" c="dimmed">
        <List.Item>No light at the port: another cable, or the box&apos;s other port.</List.Item>
        <List.Item>
          An address, but nothing answers: &quot;sudo systemctl status ssh&quot; on the console.
        </List.Item>
      </List>
    </Stack>
  );
}
