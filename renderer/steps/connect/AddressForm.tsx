/** Where the box is and who logs in; user and profile are fixed from Keys on, the address never is. */
import { Button, Group, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { BoxState } from '../../../preload/contract/calls.ts';
import { call } from '../../api.ts';
import { ErrorView } from '../../components/ErrorView.tsx';
import { FindBox } from '../../components/FindBox.tsx';
import { ProfileField } from '../../components/ProfileField.tsx';
import { useAction } from '../../components/useAction.ts';
import { change } from '../../stores/desk.ts';

/** `onLeave`: null while nothing is known that could be left as it is. */
function Form({ box, onDone, onLeave }: { box: BoxState; onDone: () => void; onLeave: (() => void) | null }) {
  const { id, address, user: userNow, profile: profileNow, keys } = box.session;
  const action = useAction();
  const [host, setHost] = useState(address?.host ?? '');
  const [port, setPort] = useState<number | string>(address?.port ?? 22);
  const [user, setUser] = useState(userNow);
  const [profile, setProfile] = useState(profileNow);
  const complete = host.trim() !== '' && user.trim() !== '' && typeof port === 'number';
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (typeof port !== 'number' || !complete) return;
    const input = { session: id, host: host.trim(), port, user: user.trim(), profile };
    if (await action.run(() => change(call('box.change', input)))) onDone();
  };
  return (
    <form onSubmit={(e) => void save(e)}>
      <Stack gap="sm">
        {action.error && <ErrorView error={action.error} onClose={action.clear} />}
        <Group gap="sm" align="flex-start" wrap="nowrap">
          <TextInput
            flex={1}
            label="Address"
            placeholder="192.168.10.20"
            value={host}
            spellCheck={false}
            onChange={(e) => setHost(e.currentTarget.value)}
          />
          <NumberInput label="Port" w={96} min={1} max={65535} value={port} onChange={setPort} hideControls />
          <TextInput
            w={160}
            label="User"
            value={user}
            disabled={keys !== null}
            spellCheck={false}
            onChange={(e) => setUser(e.currentTarget.value)}
          />
        </Group>
        <ProfileField value={profile} disabled={keys !== null} onChange={setProfile} />
        <Group gap="sm">
          <Button type="submit" variant="default" loading={action.busy} disabled={!complete}>
            Save
          </Button>
          {onLeave && (
            <Button variant="subtle" onClick={onLeave}>
              Leave as it is
            </Button>
          )}
        </Group>
        {onLeave === null && (
          <FindBox
            onChoose={(found) => {
              setHost(found.address);
              setPort(found.port);
            }}
          />
        )}
      </Stack>
    </form>
  );
}

export function AddressForm({ box }: { box: BoxState }) {
  const [open, setOpen] = useState(false);
  const { address, user, profile } = box.session;
  const close = () => setOpen(false);
  if (address === null) return <Form box={box} onDone={close} onLeave={null} />;
  if (open) return <Form box={box} onDone={close} onLeave={close} />;
  return (
    <Group gap="md">
      <Text size="sm">
        <span className="mono">
          {user}@{address.host}
        </span>{' '}
        port {address.port}, profile {profile}
      </Text>
      <Button size="compact-sm" variant="default" onClick={() => setOpen(true)}>
        Change…
      </Button>
    </Group>
  );
}
