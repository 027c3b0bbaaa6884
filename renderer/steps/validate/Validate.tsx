/** The suites: how each stands, and what runs them. */
import { Badge, Group, Stack, Text } from '@mantine/core';
import { OUTCOME_WORDS } from '../../../preload/contract/outcome.ts';
import { call } from '../../api.ts';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import type { StepProps } from '../index.ts';

/** What this version runs; the others are shown as they stand. */
const RUNS = ['gpu-detection'];

export function Validate({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const run = () => call('box.validate', { session, suites: RUNS, watchSeconds: 0, hz: 1 });
  return (
    <StepFrame
      box={box}
      id="validate"
      action={action}
      primary={{ label: 'Validate', run, disabled: box.active !== null }}
    >
      <Stack gap="xs">
        {box.standing.suites.map((suite) => (
          <Group key={suite.id} justify="space-between">
            <Text>{suite.title}</Text>
            <Badge variant="default">
              {suite.state === 'not_run' ? 'not run' : OUTCOME_WORDS[suite.outcome]}
            </Badge>
          </Group>
        ))}
      </Stack>
    </StepFrame>
  );
}
