/** What every step has: its title, why it is blocked, its error, Back and one primary action. A view owns the content only. */
import { Alert, Box, Button, Group, ScrollArea, Text, Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import type { BoxState } from '../../preload/contract/calls.ts';
import type { StepId } from '../../preload/contract/steps.ts';
import { showStep } from '../stores/desk.ts';
import { ErrorView } from './ErrorView.tsx';
import type { Action } from './useAction.ts';

interface Props {
  box: BoxState;
  id: StepId;
  action: Action;
  /** Right of the title: a duration, a state. */
  aside?: ReactNode;
  /** The step's one primary action, where it has one now. */
  primary?: {
    label: string;
    run: () => Promise<unknown>;
    disabled?: boolean;
    /** Why it cannot be done now; shown beside it, and it is disabled. */
    why?: string | null;
    /** It destroys what cannot be had back. */
    destroys?: boolean;
  };
  /** Left of Next: what else can be done now, such as Cancel. */
  actions?: ReactNode;
  children: ReactNode;
}

export function StepFrame({ box, id, action, aside, primary, actions, children }: Props) {
  const at = box.steps.findIndex((s) => s.id === id);
  const step = box.steps[at];
  const back = box.steps[at - 1]?.id;
  const nextStep = box.steps[at + 1];
  const next = nextStep?.id;
  const view = useRef<HTMLDivElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  // Where the way here began is gone by now: what is read out and what Tab goes on from is the new step.
  useEffect(() => {
    if (document.activeElement === document.body) title.current?.focus();
  }, []);
  // What an act does and what it ended with stand at the top, wherever the page was.
  useEffect(() => {
    if (action.busy || action.error) view.current?.scrollTo({ top: 0 });
  }, [action.busy, action.error]);
  const reachable = nextStep !== undefined && nextStep.state !== 'blocked';
  return (
    <Box
      component="section"
      aria-labelledby="step-title"
      h="100%"
      display="flex"
      style={{ flexDirection: 'column' }}
    >
      <Group justify="space-between" px="lg" py="sm">
        <Title ref={title} order={2} size="h3" id="step-title" tabIndex={-1}>
          {step?.title}
        </Title>
        {aside}
      </Group>
      {/* A stop of Tab: what is longer than the window and has nothing to press in it is scrolled by the keyboard, too. */}
      <ScrollArea
        flex={1}
        viewportRef={view}
        viewportProps={{ tabIndex: 0, role: 'group', 'aria-labelledby': 'step-title' }}
        classNames={{ content: 'step-content', viewport: 'step-view' }}
      >
        {step?.state === 'blocked' && step.why && (
          <Alert color="gray" mb="md">
            {step.why}
          </Alert>
        )}
        {action.error && (
          <Box mb="md">
            <ErrorView error={action.error} onClose={action.clear} />
          </Box>
        )}
        {children}
      </ScrollArea>
      <Group
        justify="space-between"
        px="lg"
        py="sm"
        style={{ borderTop: '1px solid var(--mantine-color-default-border)' }}
      >
        <Button variant="default" disabled={!back} onClick={() => back && showStep(back)}>
          Back
        </Button>
        <Group gap="sm">
          {primary?.why && (
            <Text size="sm" c="dimmed">
              {primary.why}
            </Text>
          )}
          {actions}
          {next && (
            <Button
              variant={primary ? 'default' : 'filled'}
              disabled={!reachable}
              title={nextStep?.why ?? undefined}
              onClick={() => showStep(next)}
            >
              Next: {nextStep?.title}
            </Button>
          )}
          {primary && (
            <Button
              loading={action.busy}
              {...(primary.destroys ? { color: 'red' } : {})}
              disabled={(primary.disabled ?? false) || Boolean(primary.why)}
              onClick={() => void action.run(primary.run)}
            >
              {primary.label}
            </Button>
          )}
        </Group>
      </Group>
    </Box>
  );
}
