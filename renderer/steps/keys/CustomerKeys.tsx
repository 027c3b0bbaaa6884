/** The customer's public keys, which log in as vaultadmin too: out of files, or pasted. */
import { ActionIcon, Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { PublicKey } from '../../../preload/contract/calls.ts';
import { call } from '../../api.ts';
import { ErrorView } from '../../components/ErrorView.tsx';
import { useAction } from '../../components/useAction.ts';

interface Props {
  keys: readonly PublicKey[];
  onChange: (keys: PublicKey[]) => void;
}

export function CustomerKeys({ keys, onChange }: Props) {
  const action = useAction();
  const [text, setText] = useState('');
  const add = (found: PublicKey[]) =>
    onChange([...keys, ...found.filter((f) => !keys.some((k) => k.fingerprint === f.fingerprint))]);
  const pick = async () => {
    const path = await call('pick.file', { what: 'publicKey' });
    if (path !== null) add(await call('keys.public', { from: 'file', path }));
  };
  const paste = async () => {
    add(await call('keys.public', { from: 'text', text }));
    setText('');
  };
  return (
    <Stack gap="xs">
      {action.error && <ErrorView error={action.error} onClose={action.clear} />}
      {keys.map((key) => (
        <Group key={key.fingerprint} gap="xs" wrap="nowrap">
          <Text size="sm" truncate>
            {key.comment || key.type} <span className="mono">{key.fingerprint}</span>
          </Text>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={`Leave out ${key.comment || key.fingerprint}`}
            onClick={() => onChange(keys.filter((k) => k.fingerprint !== key.fingerprint))}
          >
            <span aria-hidden>✕</span>
          </ActionIcon>
        </Group>
      ))}
      <Textarea
        label="Public keys"
        description="A line each, as in authorized_keys. Never a private key."
        placeholder="ssh-ed25519 AAAA… name"
        autosize
        minRows={1}
        maxRows={4}
        spellCheck={false}
        classNames={{ input: 'mono' }}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
      />
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          disabled={text.trim() === ''}
          onClick={() => void action.run(paste)}
        >
          Add
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => void action.run(pick)}>
          From a file…
        </Button>
      </Group>
    </Stack>
  );
}
