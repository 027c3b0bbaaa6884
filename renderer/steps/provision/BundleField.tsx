/** The folder of the site bundle on this laptop, typed or picked. */
import { Button, Group, TextInput } from '@mantine/core';
import { call } from '../../api.ts';
import { attempt } from '../../stores/frame.ts';

export function BundleField({ value, onChange }: { value: string; onChange: (folder: string) => void }) {
  const browse = () =>
    attempt(async () => {
      const folder = await call('pick.folder', { what: 'bundle' });
      if (folder !== null) onChange(folder);
    });
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <TextInput
        flex={1}
        label="Site bundle"
        description="The folder on this laptop with manifest.json in it. The box gets its files through the SSH connection and needs no other network."
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
