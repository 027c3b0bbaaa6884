/** What the box really is, beside its profile. Changes nothing. */
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { call } from '../../api.ts';
import { change } from '../../stores/desk.ts';
import type { StepProps } from '../index.ts';

export function Preflight({ box }: StepProps) {
  const action = useAction();
  const look = () => change(call('box.inspect', { session: box.session.id, setClock: false }));
  return (
    <StepFrame box={box} id="preflight" action={action} primary={{ label: 'Look at the box', run: look }}>
      {null}
    </StepFrame>
  );
}
