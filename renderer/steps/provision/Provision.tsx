/** The layers: how each stands, and what puts them on. */
import { Badge, Group, Stack, Text } from '@mantine/core';
import { OUTCOME_WORDS } from '../../../preload/contract/outcome.ts';
import { call } from '../../api.ts';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import type { StepProps } from '../index.ts';

export function Provision({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const { layers } = box.standing;
  const start = async () => {
    const bundle = (await call('box.bundle', { session })) ?? (await call('pick.folder', { what: 'bundle' }));
    if (bundle === null) return;
    await call('box.provision', { session, layers: layers.flatMap((l) => l.layer ?? []), bundle });
  };
  const primary = box.resumable
    ? { label: 'Resume', run: () => call('box.resume', { session }), disabled: box.following }
    : { label: 'Provision', run: start, disabled: box.active !== null };
  return (
    <StepFrame box={box} id="provision" action={action} primary={primary}>
      <Stack gap="xs">
        {layers.map((layer) => (
          <Group key={layer.id} justify="space-between">
            <Text>{layer.title}</Text>
            <Badge variant="default">
              {layer.state === 'not_run' ? 'not run' : OUTCOME_WORDS[layer.outcome]}
            </Badge>
          </Group>
        ))}
      </Stack>
    </StepFrame>
  );
}
