/** A path on this laptop, typed or picked. */
import { Button, Group, TextInput } from '@mantine/core';
import { attempt } from '../stores/frame.ts';

export interface PathProps {
  label: string;
  description?: string;
  placeholder?: string;
  value: string;
  onChange: (path: string) => void;
}

interface Props extends PathProps {
  /** Resolves with null where nothing was picked. */
  pick: () => Promise<string | null>;
  /** What the button is called where several stand on one page. */
  browse?: string;
}

export function PathField({ pick, browse, onChange, ...field }: Props) {
  const picked = async () => {
    const path = await pick();
    if (path !== null) onChange(path);
  };
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <TextInput flex={1} {...field} spellCheck={false} onChange={(e) => onChange(e.currentTarget.value)} />
      <Button variant="default" aria-label={browse} onClick={() => void attempt(picked)}>
        Browse…
      </Button>
    </Group>
  );
}
