/** A new box begins with its path: it is there already, or its disk is flashed at this laptop first. */
import { SegmentedControl, Text } from '@mantine/core';
import { useId } from 'react';
import type { Session } from '../../preload/contract/session.ts';

export type Path = Session['path'];

const TITLES: { value: Path; label: string }[] = [
  { value: 'provision', label: 'Provision' },
  { value: 'flash', label: 'Flash a disk here' },
  { value: 'network', label: 'Flash over the network' },
];

const MEANS: Record<Path, string> = {
  provision: 'The box has Ubuntu and is on the cable: it gets the layers.',
  network:
    'The box runs from a live system on a stick: the golden image is written to its own disk over SSH.',
  flash: 'The golden image is written to a disk at this laptop. The box then starts from it.',
};

export function PathField({ value, onChange }: { value: Path; onChange: (path: Path) => void }) {
  const means = useId();
  return (
    <div>
      <SegmentedControl
        fullWidth
        aria-label="Path"
        aria-describedby={means}
        data={TITLES}
        value={value}
        onChange={onChange}
      />
      <Text size="xs" c="var(--muted)" mt={4} id={means} role="status">
        {MEANS[value]}
      </Text>
    </div>
  );
}
