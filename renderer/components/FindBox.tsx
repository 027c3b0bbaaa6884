/** Looks along the cable for boxes; where none answers, what to type on the box's console and which address to give this laptop. */
import { Button, Group, Paper, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import type { FoundBox } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { ErrorView } from './ErrorView.tsx';
import { useAction } from './useAction.ts';
import { ConsoleHelp } from './ConsoleHelp.tsx';

interface Props {
  onChoose: (box: FoundBox) => void;
}

const BY: Record<string, string> = { arp: 'ARP', neighbour: 'IPv6 neighbour', mdns: 'mDNS' };

function Found({ box, onChoose }: Props & { box: FoundBox }) {
  return (
    <UnstyledButton className="found" onClick={() => onChoose(box)}>
      <Text size="sm" className="mono">
        {box.address}
        {box.port !== 22 && ` port ${box.port}`}
      </Text>
      <Text size="xs" c="dimmed">
        {[box.name, box.banner, `on ${box.interface}`, BY[box.by] ?? box.by].filter(Boolean).join(' · ')}
      </Text>
    </UnstyledButton>
  );
}

export function FindBox({ onChoose }: Props) {
  const action = useAction();
  const [found, setFound] = useState<FoundBox[] | null>(null);
  const find = () => action.run(async () => setFound(await call('boxes.find', undefined)));
  return (
    <Paper withBorder p="lg" component="section" aria-labelledby="find-box">
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h4" id="find-box">
            Find the box
          </Title>
          <Button variant="default" loading={action.busy} onClick={() => void find()}>
            {found ? 'Look again' : 'Look along the cable'}
          </Button>
        </Group>
        {action.error && <ErrorView error={action.error} onClose={action.clear} />}
        <Text size="sm" role="status">
          {action.busy
            ? 'Asking the neighbours on every wired interface. This takes a few seconds.'
            : found === null
              ? 'Asks every neighbour on the wired interfaces whether it is an SSH server. Nothing is sent to it.'
              : found.length === 0
                ? 'No neighbour answers as an SSH server.'
                : `${found.length} found. Choose one, or type an address.`}
        </Text>
        {found?.map((box) => (
          <Found key={`${box.address} ${box.interface}`} box={box} onChoose={onChoose} />
        ))}
        {found?.length === 0 && <ConsoleHelp />}
      </Stack>
    </Paper>
  );
}
