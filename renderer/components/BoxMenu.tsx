/** What can be done at any time with the open box and the app. */
import { ActionIcon, Menu, Text } from '@mantine/core';
import type { BoxState } from '../../preload/contract/calls.ts';
import { closeBox } from '../stores/desk.ts';
import { attempt, openDialog } from '../stores/frame.ts';

const shortcut = (keys: string) => (
  <Text size="xs" c="dimmed">
    {keys}
  </Text>
);

export function BoxMenu({ box }: { box: BoxState }) {
  return (
    <Menu position="bottom-end" width={230} shadow="md">
      <Menu.Target>
        <ActionIcon variant="default" size="md" aria-label="Menu">
          <span aria-hidden>⋯</span>
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void attempt(closeBox)}>All boxes</Menu.Item>
        <Menu.Item rightSection={shortcut('Ctrl+K')} onClick={() => openDialog('commands')}>
          Commands
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item disabled={!box.session.hostKey} onClick={() => openDialog('forgetHostKey')}>
          Forget host key…
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => openDialog('about')}>About</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
