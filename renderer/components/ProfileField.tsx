/** The machine type that the box is compared with. */
import { Select } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { CallOutput } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { attempt } from '../stores/frame.ts';

interface Props {
  value: string;
  disabled?: boolean;
  onChange: (profile: string) => void;
}

export function ProfileField({ value, disabled, onChange }: Props) {
  const [known, setKnown] = useState<CallOutput<'profiles.list'>>([]);
  useEffect(() => {
    let gone = false;
    void attempt(async () => {
      const found = await call('profiles.list', undefined);
      if (!gone) setKnown(found);
    });
    return () => {
      gone = true;
    };
  }, []);
  // A profile may be a file of its own, named by its path.
  const data = known.map(({ id, title }) => ({ value: id, label: title }));
  if (value && !known.some((p) => p.id === value)) data.push({ value, label: value });
  return (
    <Select
      label="Profile"
      description="The machine type that the box is compared with."
      data={data}
      value={value || null}
      disabled={disabled ?? false}
      allowDeselect={false}
      onChange={(chosen) => chosen && onChange(chosen)}
    />
  );
}
