/** Another user has UID 1000, and vaultadmin should: what is to happen is chosen openly. */
import { Radio, Stack } from '@mantine/core';

export type Uid = 'keep' | 'swap' | null;

interface Props {
  holder: string;
  value: Uid;
  onChange: (uid: Uid) => void;
}

export function UidChoice({ holder, value, onChange }: Props) {
  return (
    <Radio.Group
      label={`UID 1000 belongs to ${holder}`}
      description="vaultadmin should have it."
      value={value}
      onChange={(v) => onChange(v)}
    >
      <Stack gap="xs" mt="xs">
        <Radio
          value="swap"
          label="Give it to vaultadmin"
          description={`Swap: ${holder} is logged out everywhere, gets another UID, and its files are re-owned.`}
        />
        <Radio
          value="keep"
          label={`Leave it with ${holder}`}
          description="vaultadmin gets another UID. The report names it as a deviation."
        />
      </Stack>
    </Radio.Group>
  );
}
