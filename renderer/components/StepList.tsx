/** The steps of the path with their state as icon and word; why one is blocked, stale or failed shows on hover and focus. */
import { Box, Kbd, Text, Tooltip, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useId } from 'react';
import type { BoxState } from '../../preload/contract/calls.ts';
import type { Step, StepId } from '../../preload/contract/steps.ts';
import { showStep } from '../stores/desk.ts';
import { STEP_LOOKS } from '../words.ts';

function Row({ step, at, here }: { step: Step; at: number; here: boolean }) {
  const describedBy = useId();
  const { icon, word } = STEP_LOOKS[step.state];
  const blocked = step.state === 'blocked';
  return (
    <Box component="li">
      <Tooltip
        label={step.why ?? ''}
        disabled={step.why === null}
        position="right"
        multiline
        maw={320}
        events={{ hover: true, focus: true, touch: true }}
      >
        <UnstyledButton
          className="step"
          data-state={step.state}
          aria-current={here ? 'step' : undefined}
          aria-disabled={blocked}
          aria-describedby={step.why === null ? undefined : describedBy}
          onClick={() => !blocked && showStep(step.id)}
        >
          <span aria-hidden className="step-icon">
            {icon}
          </span>
          <span className="step-name">
            {step.title}
            <Text size="xs" span className="step-word">
              {word}
            </Text>
          </span>
          <Kbd size="xs" aria-hidden className="step-key">
            {at + 1}
          </Kbd>
        </UnstyledButton>
      </Tooltip>
      {step.why !== null && <VisuallyHidden id={describedBy}>{step.why}</VisuallyHidden>}
    </Box>
  );
}

export function StepList({ box, step }: { box: BoxState; step: StepId }) {
  return (
    <Box component="nav" aria-label="Steps" data-region="steps" tabIndex={-1} className="steps">
      <Box component="ol" m={0} p={0} style={{ listStyle: 'none' }}>
        {box.steps.map((s, at) => (
          <Row key={s.id} step={s} at={at} here={s.id === step} />
        ))}
      </Box>
    </Box>
  );
}
