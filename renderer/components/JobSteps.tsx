/** A short job's steps as they go: what was done, what is on its way, and what it ended with. */
import { Group, Loader, Stack, Text } from '@mantine/core';
import type { JobView, StepView } from '../../preload/contract/reduce.ts';

const LOOKS: Record<StepView['state'], { icon: string; word: string; colour: string }> = {
  running: { icon: '▶', word: 'running', colour: 'inherit' },
  ok: { icon: '✓', word: 'done', colour: 'var(--pass)' },
  failed: { icon: '✕', word: 'failed', colour: 'var(--fail)' },
  skipped: { icon: '–', word: 'left out', colour: 'var(--muted)' },
};

export function JobSteps({ view }: { view: JobView }) {
  return (
    <Stack gap={4} component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
      {view.steps.map((step, at) => {
        const { icon, word, colour } = LOOKS[step.state];
        return (
          <Group key={at} component="li" gap="xs" wrap="nowrap">
            {step.state === 'running' ? (
              <Loader size={12} aria-hidden />
            ) : (
              <span aria-hidden className="verdict-icon" style={{ color: colour }}>
                {icon}
              </span>
            )}
            <Text size="sm">{step.title}</Text>
            <Text size="xs" c="dimmed">
              {word}
              {step.seconds !== null && `, ${step.seconds.toFixed(1)} s`}
            </Text>
          </Group>
        );
      })}
    </Stack>
  );
}
