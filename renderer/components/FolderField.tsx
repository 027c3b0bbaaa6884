/** The path of a folder on this laptop, typed or picked. */
import { Button, Group, TextInput } from '@mantine/core';
import type { CallInput } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { attempt } from '../stores/frame.ts';

interface Props {
  label: string;
  description?: string;
  placeholder?: string;
  value: string;
  what: CallInput<'pick.folder'>['what'];
  onChange: (path: string) => void;
}

export function FolderField({ label, description, placeholder, value, what, onChange }: Props) {
  const browse = () =>
    attempt(async () => {
      const folder = await call('pick.folder', { what });
      if (folder !== null) onChange(folder);
    });
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <TextInput
        flex={1}
        label={label}
        description={description}
        placeholder={placeholder}
        value={value}
        spellCheck={false}
        onChange={(e) => onChange(e.currentTarget.value)}
      />
      <Button variant="default" aria-label={`Browse… ${label}`} onClick={() => void browse()}>
        Browse…
      </Button>
    </Group>
  );
}
