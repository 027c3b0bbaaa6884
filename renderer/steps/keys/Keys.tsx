/** The key that logs in from now on, vaultadmin with a password for sudo, and both proven by fresh logins. */
import { Button, Divider, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { KeyChoice, PublicKey } from '../../../preload/contract/calls.ts';
import { call } from '../../api.ts';
import { JobSteps } from '../../components/JobSteps.tsx';
import { NewSecret } from '../../components/NewSecret.tsx';
import { Outcome } from '../../components/Outcome.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { useJob } from '../../components/useJob.ts';
import { change } from '../../stores/desk.ts';
import type { StepProps } from '../index.ts';
import { CustomerKeys } from './CustomerKeys.tsx';
import { KeyField, presentChoice } from './KeyField.tsx';
import { Proofs } from './Proofs.tsx';
import { UidChoice, type Uid } from './UidChoice.tsx';

const ADMIN = 'vaultadmin';

/** Who has UID 1000 and should not, as preflight saw it; null for nobody. */
function useHolder({ box }: StepProps): string | null {
  const { session, standing } = box;
  const seen = useJob(session.id, standing.preflight.basis)?.view.facts?.uid1000 ?? null;
  return seen === ADMIN || session.keys?.adminUid === 1000 ? null : seen;
}

export function Keys({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const { keys, user } = box.session;
  const part = box.standing.keys;
  const proven = keys?.keyLoginProvenAt != null;
  const [again, setAgain] = useState(false);
  const [choice, setChoice] = useState<KeyChoice | null>(keys ? presentChoice(keys) : { kind: 'generate' });
  const [password, setPassword] = useState({ secret: '', settled: true });
  const [customerKeys, setCustomerKeys] = useState<PublicKey[]>([]);
  const [uid, setUid] = useState<Uid>(null);
  const holder = useHolder({ box });
  const newest = box.jobs.findLast((row) => row.kind === 'keys' || row.kind === 'uid_swap') ?? null;
  const running = useJob(session, newest);
  const refused = action.error?.code === 'uid_taken';
  const asksUid = holder !== null || refused;
  const form = !proven || again;
  const complete =
    choice !== null && password.settled && (proven || password.secret !== '') && (!asksUid || uid !== null);
  const set = async () => {
    if (choice === null) return;
    const newSudoPassword = password.secret ? { newSudoPassword: password.secret } : {};
    const input = { session, choice, customerKeys: customerKeys.map((k) => k.line), uid, ...newSudoPassword };
    await change(call('box.keys', input));
    setAgain(false);
    setCustomerKeys([]);
  };
  const primary = { label: proven ? 'Set up again' : 'Set up keys', run: set, disabled: !complete };
  return (
    <StepFrame
      box={box}
      id="keys"
      action={action}
      aside={<Outcome part={part} />}
      {...(form ? { primary } : {})}
    >
      <Stack gap="md" pb="md" maw={720}>
        {proven && keys && <Proofs keys={keys} user={user} />}
        {!form && (
          <div>
            <Button variant="default" onClick={() => setAgain(true)}>
              Change key, password or customer&apos;s keys…
            </Button>
          </div>
        )}
        {action.busy && running && <JobSteps view={running.view} />}
        {form && (
          <>
            {proven && <Divider />}
            {!proven && (
              <Text size="sm">
                Makes the user {ADMIN}, installs the key, sets its sudo password, and proves both by fresh
                logins. From then on the app logs in as {ADMIN}.
              </Text>
            )}
            <section>
              <Title order={3} size="h5" mb="xs">
                Key of this laptop
              </Title>
              <KeyField present={keys} onChange={setChoice} />
            </section>
            <section>
              <Title order={3} size="h5" mb="xs">
                Sudo password of {ADMIN}
              </Title>
              <NewSecret
                label={proven ? 'New sudo password (optional)' : 'New sudo password'}
                description={
                  proven
                    ? 'Left empty, it stays as it is.'
                    : 'The customer gets it at hand-over, or sets another.'
                }
                onChange={(secret, settled) => setPassword({ secret, settled })}
              />
            </section>
            {asksUid && <UidChoice holder={holder ?? 'another user'} value={uid} onChange={setUid} />}
            <section>
              <Title order={3} size="h5" mb="xs">
                Customer&apos;s keys (optional)
              </Title>
              <CustomerKeys keys={customerKeys} onChange={setCustomerKeys} />
            </section>
          </>
        )}
      </Stack>
    </StepFrame>
  );
}
