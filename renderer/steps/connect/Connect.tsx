/** The first login, and every later one: who logs in with what, and whether this is the box that was meant. */
import { Stack } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { LoginChoice } from '../../../preload/contract/calls.ts';
import { call } from '../../api.ts';
import { PracticeConsole } from '../../components/PracticeConsole.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { change } from '../../stores/desk.ts';
import type { StepProps } from '../index.ts';
import { AddressForm } from './AddressForm.tsx';
import { Connected } from './Connected.tsx';
import { HostKeyChanged } from './HostKeyChanged.tsx';
import { firstChoice, LoginForm } from './LoginForm.tsx';

export function Connect({ box }: StepProps) {
  const action = useAction();
  const [login, setLogin] = useState<LoginChoice | null>(() => firstChoice(box));
  const held = box.link.state !== null;
  const placed = box.session.address !== null;
  const connect = async () => {
    if (login) await change(call('box.connect', { session: box.session.id, login }));
  };
  const why = placed ? null : 'Save the address first.';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (login && !action.busy) void action.run(connect);
  };
  return (
    <StepFrame
      box={box}
      id="connect"
      action={action}
      {...(held ? {} : { primary: { label: 'Connect', run: connect, disabled: login === null, why } })}
    >
      <Stack gap="lg" maw={640} pb="md">
        {action.error?.code === 'host_key_changed' && <HostKeyChanged />}
        {box.practice ? <PracticeConsole session={box.session.id} /> : <AddressForm box={box} />}
        {held ? (
          <Connected box={box} />
        ) : (
          placed && (
            <form onSubmit={submit}>
              <LoginForm box={box} onChange={setLogin} />
              <button type="submit" hidden />
            </form>
          )
        )}
      </Stack>
    </StepFrame>
  );
}
