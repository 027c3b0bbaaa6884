/** The key that logs in from now on, vaultadmin with a password for sudo, and both proven by fresh logins. */
import { Button, Divider, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { BoxState } from '../../../preload/contract/calls.ts';
import { call } from '../../api.ts';
import { JobSteps } from '../../components/JobSteps.tsx';
import { Outcome } from '../../components/Outcome.tsx';
import { Proofs } from '../../components/Proofs.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { useJob } from '../../components/useJob.ts';
import { change } from '../../stores/desk.ts';
import { waitsForLink } from '../../words.ts';
import type { StepProps } from '../index.ts';
import { firstOrders, isComplete, KeysForm, type KeysOrders } from './KeysForm.tsx';

const ADMIN = 'vaultadmin';

/** Who has UID 1000 and should not, as preflight saw it; null for nobody. */
function useHolder({ session, standing }: BoxState): string | null {
  const seen = useJob(session.id, standing.preflight.basis)?.view.facts?.uid1000 ?? null;
  return seen === ADMIN || session.keys?.adminUid === 1000 ? null : seen;
}

/** The newest job of this step with its steps: the set-up itself, or the swap of the UID after it. */
function Progress({ box }: StepProps) {
  const newest = box.jobs.findLast((row) => row.kind === 'keys' || row.kind === 'uid_swap') ?? null;
  const view = useJob(box.session.id, newest)?.view;
  return view ? <JobSteps view={view} /> : null;
}

function input(session: string, { choice, password, customerKeys, uid }: KeysOrders) {
  if (choice === null) return null;
  const newSudoPassword = password ? { newSudoPassword: password } : {};
  return { session, choice, customerKeys: customerKeys.map((k) => k.line), uid, ...newSudoPassword };
}

export function Keys({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const { keys, user, run } = box.session;
  const proven = keys?.keyLoginProvenAt != null;
  const [again, setAgain] = useState(false);
  const [orders, setOrders] = useState(() => firstOrders(keys));
  const seen = useHolder(box);
  const holder = seen ?? (action.error?.code === 'uid_taken' ? 'another user' : null);
  const form = !proven || again;
  const busy = action.busy || box.steps.some((s) => s.id === 'keys' && s.state === 'running');
  const set = async () => {
    const given = input(session, orders);
    if (given === null) return;
    const now = await change(call('box.keys', given));
    setAgain(false);
    setOrders(firstOrders(now.session.keys));
  };
  const swapOpen = box.resumable && !box.following && run?.command === 'uid-swap';
  const primary = swapOpen
    ? { label: 'Resume', run: () => call('box.resume', { session }) }
    : form
      ? {
          label: proven ? 'Set up again' : 'Set up keys',
          run: set,
          // What logged in first, logs in once more for this: it is known while its connection is held.
          why: keys ? null : waitsForLink(box.link),
          disabled: !isComplete(orders, { proven, asksUid: holder !== null }),
        }
      : null;
  return (
    <StepFrame
      box={box}
      id="keys"
      action={action}
      aside={<Outcome part={box.standing.keys} />}
      {...(primary ? { primary } : {})}
    >
      <Stack gap="md" pb="md" maw={720}>
        {!proven && (
          <Text size="sm">
            Makes the user {ADMIN}, installs the key, sets its sudo password, and proves both by fresh logins.
            From then on the app logs in as {ADMIN}.
          </Text>
        )}
        {(busy || swapOpen) && <Progress box={box} />}
        {proven && keys && <Proofs keys={keys} user={user} />}
        {!form && !busy && !swapOpen && (
          <div>
            <Button variant="default" onClick={() => setAgain(true)}>
              Change key, password or customer&apos;s keys…
            </Button>
          </div>
        )}
        {form && (
          <>
            {proven && <Divider />}
            <KeysForm orders={orders} onChange={setOrders} present={keys} holder={holder} disabled={busy} />
          </>
        )}
      </Stack>
    </StepFrame>
  );
}
