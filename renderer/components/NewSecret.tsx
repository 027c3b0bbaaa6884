/** A new password or passphrase, typed twice so that a slip does not lock anybody out. */
import { PasswordInput, SimpleGrid } from '@mantine/core';
import { useState } from 'react';

interface Props {
  label: string;
  description?: string;
  /** The secret once both agree; an empty string while they do not, or there is none. */
  onChange: (secret: string, settled: boolean) => void;
}

export function NewSecret({ label, description, onChange }: Props) {
  const [one, setOne] = useState('');
  const [two, setTwo] = useState('');
  const tell = (first: string, second: string) => {
    setOne(first);
    setTwo(second);
    const same = first === second;
    onChange(same ? first : '', same);
  };
  return (
    <SimpleGrid cols={2} spacing="sm" style={{ alignItems: 'end' }}>
      <PasswordInput
        label={label}
        description={description}
        value={one}
        onChange={(e) => tell(e.currentTarget.value, two)}
      />
      <PasswordInput
        label="The same again"
        value={two}
        error={two !== '' && two !== one ? 'The two differ.' : undefined}
        onChange={(e) => tell(one, e.currentTarget.value)}
      />
    </SimpleGrid>
  );
}
