/** The path of a file on this laptop, typed or picked. */
import { Button, Group, TextInput } from '@mantine/core';
import type { CallInput } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { attempt } from '../stores/frame.ts';

interface Props {
  label: string;
  description?: string;
  value: string;
  what: CallInput<'pick.file'>['what'];
  onChange: (path: string) => void;
}

export function FileField({ label, description, value, what, onChange }: Props) {
  const browse = () =>
    attempt(async () => {
      const path = await call('pick.file', { what });
      if (path !== null) onChange(path);
    });
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <TextInput
        flex={1}
        label={label}
        description={description}
        value={value}
        spellCheck={false}
        onChange={(e) => onChange(e.currentTarget.value)}
      />
      <Button variant="default" onClick={() => void browse()}>
        Browse…
      </Button>
    </Group>
  );
}
