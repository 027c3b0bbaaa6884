/** The report: made from the journal at any time, for the box as it stands. */
import { Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { OUTCOME_WORDS } from '../../../preload/contract/outcome.ts';
import { call } from '../../api.ts';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import type { StepProps } from '../index.ts';

export function Report({ box }: StepProps) {
  const action = useAction();
  const [made, setMade] = useState<string | null>(null);
  const make = async () => {
    const { html } = await call('box.report', { session: box.session.id, folder: null });
    setMade(html);
    await call('open.path', { path: html });
  };
  return (
    <StepFrame box={box} id="report" action={action} primary={{ label: 'Make report', run: make }}>
      <Stack gap="xs">
        <Text>The box: {OUTCOME_WORDS[box.standing.outcome]}</Text>
        {made && <Text className="mono">{made}</Text>}
      </Stack>
    </StepFrame>
  );
}
