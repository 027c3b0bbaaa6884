/** What the step Keys has to know: the key, the sudo password, who keeps UID 1000, and the customer's keys. */
import { Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { KeyChoice, PublicKey } from '../../../preload/contract/calls.ts';
import type { KeysState } from '../../../preload/contract/session.ts';
import { NewSecret } from '../../components/NewSecret.tsx';
import { CustomerKeys } from './CustomerKeys.tsx';
import { KeyField, presentChoice } from '../../components/KeyField.tsx';
import { UidChoice, type Uid } from './UidChoice.tsx';

export interface KeysOrders {
  /** Null while the choice is not complete. */
  choice: KeyChoice | null;
  /** Empty leaves the password as it is. */
  password: string;
  /** False while the two fields differ. */
  passwordSettled: boolean;
  customerKeys: PublicKey[];
  uid: Uid;
}

export const firstOrders = (present: KeysState | null): KeysOrders => ({
  choice: present ? presentChoice(present) : { kind: 'generate' },
  password: '',
  passwordSettled: true,
  customerKeys: [],
  uid: null,
});

/** Whether everything that is needed was given. A new user has no password yet; a known one keeps his. */
export function isComplete(
  orders: KeysOrders,
  { proven, asksUid }: { proven: boolean; asksUid: boolean },
): boolean {
  const password = orders.passwordSettled && (proven || orders.password !== '');
  return orders.choice !== null && password && (!asksUid || orders.uid !== null);
}

interface Props {
  orders: KeysOrders;
  onChange: (orders: KeysOrders) => void;
  present: KeysState | null;
  /** Who has UID 1000 and should not; null asks nothing. */
  holder: string | null;
  disabled: boolean;
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <Title order={3} size="h5" mb="xs">
        {title}
      </Title>
      {children}
    </section>
  );
}

export function KeysForm({ orders, onChange, present, holder, disabled }: Props) {
  const set = (now: Partial<KeysOrders>) => onChange({ ...orders, ...now });
  const proven = present?.keyLoginProvenAt != null;
  return (
    <fieldset disabled={disabled} className="plain">
      <Stack gap="md">
        <Section title="Key of this laptop">
          <KeyField present={present} onChange={(choice) => set({ choice })} />
        </Section>
        <Section title="Sudo password of vaultadmin">
          <NewSecret
            label={proven ? 'New sudo password (optional)' : 'New sudo password'}
            description={
              proven
                ? 'Left empty, it stays as it is.'
                : 'The customer gets it at hand-over, or sets another.'
            }
            onChange={(password, passwordSettled) => set({ password, passwordSettled })}
          />
        </Section>
        {holder !== null && (
          <Section title="UID 1000">
            <UidChoice holder={holder} value={orders.uid} onChange={(uid) => set({ uid })} />
          </Section>
        )}
        <Section title="Customer's keys (optional)">
          <CustomerKeys keys={orders.customerKeys} onChange={(customerKeys) => set({ customerKeys })} />
        </Section>
      </Stack>
    </fieldset>
  );
}
