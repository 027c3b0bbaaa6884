/** The first login, and every later one: who logs in with what, and whether this is the box that was meant. */
import { Stack } from '@mantine/core';
import { useState } from 'react';
import type { LoginChoice } from '../../../preload/contract/calls.ts';
import { call } from '../../api.ts';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { change } from '../../stores/desk.ts';
import type { StepProps } from '../index.ts';
import { AddressForm } from './AddressForm.tsx';
import { Connected } from './Connected.tsx';
import { LoginForm } from './LoginForm.tsx';

export function Connect({ box }: StepProps) {
  const action = useAction();
  const [login, setLogin] = useState<LoginChoice | null>(null);
  const live = box.link.state !== null;
  const connect = async () => {
    if (login) await change(call('box.connect', { session: box.session.id, login }));
  };
  return (
    <StepFrame
      box={box}
      id="connect"
      action={action}
      {...(live ? {} : { primary: { label: 'Connect', run: connect, disabled: login === null } })}
    >
      <Stack gap="lg" maw={640} pb="md">
        <AddressForm box={box} />
        {live ? <Connected box={box} /> : <LoginForm box={box} onChange={setLogin} />}
      </Stack>
    </StepFrame>
  );
}
