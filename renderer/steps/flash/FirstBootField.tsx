/** First-boot settings: what the system on the disk is told before it ever starts. Optional: an image may have an installer's user of its own. */
import { SegmentedControl, SimpleGrid, Stack, Checkbox, Text, TextInput, Title } from '@mantine/core';
import { KeyField } from '../../components/KeyField.tsx';
import { NewSecret } from '../../components/NewSecret.tsx';
import type { FirstBootForm, Line } from './useFirstBoot.ts';

interface Props {
  form: FirstBootForm;
  /** Without them nobody could meet the system: nothing is asked whether. */
  wanted: boolean;
}

export function FirstBootField({ form, wanted }: Props) {
  const { draft, set, faults } = form;
  const line = (field: Line, label: string, placeholder: string, description?: string) => (
    <TextInput
      label={label}
      placeholder={placeholder}
      {...(description === undefined ? {} : { description })}
      value={draft[field]}
      error={faults[field]}
      autoComplete="off"
      spellCheck={false}
      onChange={(e) => set({ [field]: e.currentTarget.value })}
    />
  );
  return (
    <section aria-labelledby="flash-first-boot">
      <Title order={3} size="h5" id="flash-first-boot" mb={4}>
        First boot
      </Title>
      <Stack gap="sm">
        {wanted ? (
          <Text size="sm">
            The system starts with vaultadmin, this laptop&apos;s key and a host key that this laptop knows.
            The image needs a partition CIDATA.
          </Text>
        ) : (
          <Checkbox
            label="Tell the system its name, key and address"
            description="It then starts with vaultadmin, this laptop's key and a host key that this laptop knows. The image needs a partition CIDATA."
            checked={draft.on}
            onChange={(e) => set({ on: e.currentTarget.checked })}
          />
        )}
        {draft.on && (
          <Stack gap="md" maw={720} className="flash-first-boot">
            {line('hostname', 'Host name', 'vc-0042')}
            <div>
              <Text size="sm" fw={600} mb={4}>
                Key of this laptop for vaultadmin
              </Text>
              <KeyField present={null} start={draft.key} onChange={(key) => set({ key })} />
            </div>
            <NewSecret
              label="Sudo password of vaultadmin"
              description="Its hash alone is written. The customer gets it at hand-over, or sets another."
              onChange={(password, passwordSettled) => set({ password, passwordSettled })}
            />
            <div>
              <Text size="sm" fw={600} mb={4}>
                Address
              </Text>
              <SegmentedControl
                aria-label="How the box gets its address"
                data={[
                  { value: 'dhcp', label: 'DHCP, every wired card' },
                  { value: 'fixed', label: 'One fixed address' },
                ]}
                value={draft.fixed ? 'fixed' : 'dhcp'}
                onChange={(value) => set({ fixed: value === 'fixed' })}
              />
            </div>
            {draft.fixed && (
              <SimpleGrid cols={2} spacing="sm" className="flash-address">
                {line('card', 'Network card', 'enp5s0 or its MAC address')}
                {line('address', 'Address with its network', '192.168.10.5/24')}
                {line('gateway', 'Gateway (optional)', '192.168.10.1')}
                {line('dns', 'Name servers (optional)', '192.168.10.2, 192.168.10.3')}
              </SimpleGrid>
            )}
          </Stack>
        )}
      </Stack>
    </section>
  );
}
