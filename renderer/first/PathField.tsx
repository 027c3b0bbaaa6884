/** A new box begins with its path: it is there already, or its disk is flashed at this laptop first. */
import { Radio, Stack } from '@mantine/core';
import type { Session } from '../../preload/contract/session.ts';

export type Path = Session['path'];

const PATHS: readonly { path: Path; label: string; description: string }[] = [
  {
    path: 'provision',
    label: 'Provision',
    description: 'The box has Ubuntu and is on the cable. The layers are put on it one after another.',
  },
  {
    path: 'flash',
    label: 'Flash a disk here',
    description:
      'The golden image is written to a disk attached to this laptop. The box then starts from it.',
  },
];

export function PathField({ value, onChange }: { value: Path; onChange: (path: Path) => void }) {
  return (
    <Radio.Group label="Path" value={value} onChange={(v) => onChange(v)}>
      <Stack gap="xs" mt={4}>
        {PATHS.map(({ path, label, description }) => (
          <Radio key={path} value={path} label={label} description={description} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
