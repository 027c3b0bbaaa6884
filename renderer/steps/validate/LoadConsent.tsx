/** Before load: what feeds the box, what it draws, and how long a soak takes. The button below names watts and time. */
import { Checkbox, Group, NumberInput, Stack, Text, Title } from '@mantine/core';
import { number } from '../../numbers.ts';
import type { LoadForm } from './useLoad.ts';

export function LoadConsent({ form }: { form: LoadForm }) {
  const { facts, volts, amperes, hours, soaks, carries, lower, set } = form;
  const { wallWatts } = facts;
  return (
    <section aria-labelledby="validate-load" className="part">
      <Title order={3} size="h5" id="validate-load" mb={4}>
        Load
      </Title>
      <Stack gap="sm">
        <Text size="sm">
          This puts all GPUs under load: the box draws up to {number(form.agreedWatts, 0)} W. Nobody else may
          need the box, or its circuit, meanwhile.
        </Text>
        <Group gap="md" align="flex-end">
          {wallWatts !== null && (
            <>
              <NumberInput
                w={170}
                label="Voltage of the socket"
                suffix=" V"
                min={90}
                max={480}
                value={volts}
                onChange={(n) => set({ volts: n })}
              />
              <NumberInput
                w={170}
                label="Breaker of its circuit"
                suffix=" A"
                min={1}
                max={125}
                value={amperes}
                onChange={(n) => set({ amperes: n })}
              />
            </>
          )}
          {soaks && (
            <NumberInput
              w={170}
              label="Length of the soak"
              suffix=" h"
              min={0}
              max={168}
              decimalScale={2}
              value={hours}
              onChange={(n) => set({ hours: n })}
            />
          )}
        </Group>
        {wallWatts !== null && carries !== null && (
          <Text size="sm" c="var(--muted)">
            It carries {number(carries, 0)} W for hours: 80 % of the breaker.
          </Text>
        )}
        {lower && (
          <Group gap="md" align="flex-end">
            <Checkbox
              label="Hold the cards to less power"
              description={`At full power the box draws up to ${number(facts.watts, 0)} W. Results with less are a deviation, and floors may not be reached. The cards get their full power back afterwards.`}
              checked={lower.on}
              onChange={(e) => set({ lowered: e.currentTarget.checked })}
            />
            {lower.on && (
              <NumberInput
                w={220}
                label="Power limit of each card"
                description={`At most ${number(lower.most, 0)} of ${number(lower.full, 0)} W`}
                suffix=" W"
                min={1}
                max={lower.most}
                allowDecimal={false}
                value={lower.limit}
                onChange={(n) => set({ limit: n })}
              />
            )}
          </Group>
        )}
      </Stack>
    </section>
  );
}
