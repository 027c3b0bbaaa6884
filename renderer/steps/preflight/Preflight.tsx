/** What the box really is, beside its profile: blockers first, then every check. Changes nothing, but for a clock on request. */
import { Button, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { blockersOf } from '../../../preload/contract/preflight.ts';
import { call } from '../../api.ts';
import { JobSteps } from '../../components/JobSteps.tsx';
import { Outcome } from '../../components/Outcome.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { useJob } from '../../components/useJob.ts';
import { change } from '../../stores/desk.ts';
import { timeOf, waitsForLink } from '../../words.ts';
import type { StepProps } from '../index.ts';
import { Blockers } from './Blockers.tsx';
import { Checks } from './Checks.tsx';
import { Facts } from './Facts.tsx';

export function Preflight({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const part = box.standing.preflight;
  const newest = box.jobs.findLast((row) => row.kind === 'preflight') ?? null;
  const shown = useJob(session, part.basis);
  const running = useJob(session, newest);
  const blockers = blockersOf(part);
  const look = (setClock: boolean) => () => change(call('box.inspect', { session, setClock }));
  const why = waitsForLink(box.link);
  const facts = shown?.view.facts ?? null;
  const looked = part.state !== 'not_run' && part.checks.length > 0;
  const settled = looked && blockers.length === 0;
  const primary = { label: looked ? 'Look again' : 'Look at the box', run: look(false), why };
  return (
    <StepFrame
      box={box}
      id="preflight"
      action={action}
      aside={
        <Group gap="md">
          {shown?.view.lastAt && (
            <Text size="sm" c="dimmed">
              {timeOf(shown.view.lastAt)}
            </Text>
          )}
          <Outcome part={part} />
          {settled && (
            <Button
              size="compact-sm"
              variant="default"
              loading={action.busy}
              disabled={why !== null}
              title={why ?? undefined}
              onClick={() => void action.run(look(false))}
            >
              Look again
            </Button>
          )}
        </Group>
      }
      {...(settled ? {} : { primary })}
    >
      <Stack gap="md" pb="md">
        {!looked && (
          <Text size="sm">
            Reads what the box is and compares it with the profile {box.session.profile}. It changes nothing
            there.
          </Text>
        )}
        {action.busy && running && <JobSteps view={running.view} />}
        <Blockers
          session={session}
          blockers={blockers}
          onSetClock={why === null && !action.busy ? () => void action.run(look(true)) : null}
        />
        {looked && (
          <SimpleGrid cols={{ base: 1 }} spacing="md">
            {facts && (
              <section aria-labelledby="facts">
                <Title order={3} size="h5" id="facts" mb={4}>
                  The box
                </Title>
                <Facts facts={facts} />
              </section>
            )}
            <section aria-labelledby="checks">
              <Title order={3} size="h5" id="checks" mb={4}>
                Compared with profile {box.session.profile}
              </Title>
              <Checks session={session} checks={part.checks} />
            </section>
          </SimpleGrid>
        )}
      </Stack>
    </StepFrame>
  );
}
