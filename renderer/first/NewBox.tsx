/** A new box: its path, its name, its machine type, and where it is, found on the cable or typed: once its disk is flashed, on that path. */
import { Button, Group, NumberInput, Paper, SimpleGrid, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { BoxName, NewBox as NewBoxInput, type CallInput } from '../../preload/contract/calls.ts';
import type { ImageSet } from '../../preload/contract/image-desk.ts';
import { call } from '../api.ts';
import { ErrorView } from '../components/ErrorView.tsx';
import { FindBox } from '../components/FindBox.tsx';
import { ProfileField } from '../components/ProfileField.tsx';
import { useAction } from '../components/useAction.ts';
import { openBox } from '../stores/desk.ts';
import { forgetFlashWith } from '../stores/frame.ts';
import { FlashRoad } from './FlashRoad.tsx';
import { LiveRoad } from './LiveRoad.tsx';
import { PathField, type Path } from './PathField.tsx';

interface Props {
  /** No box is known yet: this is where everything begins, and there is no way back. */
  first: boolean;
  /** A set that the box is to be flashed with, chosen before it; null for none. */
  image?: ImageSet | null;
  onCancel: () => void;
}

/** Of Ubuntu Server's live system. */
const LIVE_USER = 'ubuntu-server';

export function NewBox({ first, image = null, onCancel }: Props) {
  const action = useAction();
  const [path, setPath] = useState<Path>(image ? 'flash' : 'provision');
  const [name, setName] = useState('');
  const [profile, setProfile] = useState('vault-cube');
  const [host, setHost] = useState('');
  const [port, setPort] = useState<number | string>(22);
  const [user, setUser] = useState('');
  const placed = path !== 'flash';
  const place = placed ? { host: host.trim(), port, user: user.trim() } : {};
  const input = NewBoxInput.safeParse({ path, name: name.trim(), profile, ...place });
  const badName = name !== '' && !BoxName.safeParse(name.trim()).success;
  const begin = async (data: CallInput<'boxes.create'>) => {
    const { session } = await call('boxes.create', data);
    if (image && data.path !== 'provision')
      await call('flash.choose', { session, choice: { image: image.image, serial: null } });
    forgetFlashWith();
    await openBox(session);
  };
  const create = (event: FormEvent) => {
    event.preventDefault();
    const { data } = input;
    if (data) void action.run(() => begin(data));
  };
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
      <Paper withBorder p="lg" component="section" aria-labelledby="new-box">
        <form onSubmit={create}>
          <Stack gap="sm">
            <Title order={2} size="h4" id="new-box">
              New box
            </Title>
            {first && (
              <Text size="sm">No box is known to this laptop yet. Choose its path, name it, and begin.</Text>
            )}
            {image && (
              <Text size="sm">
                {path === 'provision'
                  ? `On this path nothing is flashed: ${image.name} ${image.version} is not used.`
                  : `It is flashed with ${image.name} ${image.version}; the disk is chosen in the step Flash.`}
              </Text>
            )}
            {action.error && <ErrorView error={action.error} onClose={action.clear} />}
            <PathField
              value={path}
              onChange={(chosen) => {
                setPath(chosen);
                if (chosen === 'network' && user === '') setUser(LIVE_USER);
                if (chosen !== 'network' && user === LIVE_USER) setUser('');
              }}
            />
            <TextInput
              label="Name"
              description="As on its label. It names the box in every place and in the report."
              placeholder="VC-0042"
              value={name}
              error={badName ? 'Letters, digits, dot, dash and underscore.' : undefined}
              spellCheck={false}
              autoFocus
              onChange={(e) => setName(e.currentTarget.value)}
            />
            <ProfileField value={profile} onChange={setProfile} />
            {placed && (
              <>
                <Group gap="sm" align="flex-start" wrap="nowrap">
                  <TextInput
                    flex={1}
                    label="Address"
                    placeholder="192.168.10.20"
                    value={host}
                    spellCheck={false}
                    onChange={(e) => setHost(e.currentTarget.value)}
                  />
                  <NumberInput
                    label="Port"
                    w={88}
                    min={1}
                    max={65535}
                    value={port}
                    onChange={setPort}
                    hideControls
                  />
                </Group>
                <TextInput
                  label="User"
                  description={
                    path === 'network' ? 'Of the live system.' : 'The one made when the box was installed.'
                  }
                  value={user}
                  spellCheck={false}
                  onChange={(e) => setUser(e.currentTarget.value)}
                />
              </>
            )}
            <Group justify="flex-end" gap="sm" mt="xs">
              {!first && (
                <Button variant="default" onClick={onCancel}>
                  Back
                </Button>
              )}
              <Button type="submit" loading={action.busy} disabled={!input.success}>
                Begin
              </Button>
            </Group>
          </Stack>
        </form>
      </Paper>
      {path === 'flash' ? (
        <FlashRoad />
      ) : (
        <Stack gap="lg">
          {path === 'network' && <LiveRoad />}
          <FindBox
            onChoose={(found) => {
              setHost(found.address);
              setPort(found.port);
              if (name === '' && found.name) setName(found.name.replace(/\.local\.?$/, ''));
            }}
          />
        </Stack>
      )}
    </SimpleGrid>
  );
}
