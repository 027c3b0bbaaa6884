/** The key that logs in from now on, and vaultadmin's password. */
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { call } from '../../api.ts';
import { change } from '../../stores/desk.ts';
import type { StepProps } from '../index.ts';

export function Keys({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const set = () =>
    change(call('box.keys', { session, choice: { kind: 'generate' }, customerKeys: [], uid: null }));
  return (
    <StepFrame box={box} id="keys" action={action} primary={{ label: 'Set up keys', run: set }}>
      {null}
    </StepFrame>
  );
}
