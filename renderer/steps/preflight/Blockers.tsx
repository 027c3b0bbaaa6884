/** What must be cleared before anything is changed on the box, first on the page, each with what to do now. */
import { Box, Button, Text, Title } from '@mantine/core';
import type { StandingCheck } from '../../../preload/contract/results.ts';
import { CheckRow } from '../../components/CheckRow.tsx';
import { plural } from '../../numbers.ts';
import { timeOf } from '../../words.ts';

interface Props {
  session: string;
  blockers: readonly StandingCheck[];
  /** Sets clock and hardware clock from this laptop, and looks again. */
  onSetClock: (() => void) | null;
}

export function Blockers({ session, blockers, onSetClock }: Props) {
  if (blockers.length === 0) return null;
  const clock = blockers.some((c) => c.result.id === 'pf_clock');
  return (
    <Box component="section" aria-labelledby="blockers" className="group blockers">
      <Title order={3} size="h5" id="blockers" px="sm" pt="sm">
        {plural(blockers.length, 'blocker')}
      </Title>
      <Text size="sm" px="sm" pb="xs">
        Nothing is changed on the box until this is cleared. Then look at it again.
      </Text>
      {blockers.map((c) => (
        <CheckRow key={c.result.id} session={session} check={c} blocker />
      ))}
      {clock && (
        <Box p="sm">
          <Button variant="default" disabled={onSetClock === null} onClick={() => onSetClock?.()}>
            Set clock from this laptop
          </Button>
          <Text size="xs" c="dimmed" mt={4}>
            Sets clock and hardware clock of the box, and records it. This laptop says{' '}
            {timeOf(new Date().toISOString())}.
          </Text>
        </Box>
      )}
    </Box>
  );
}
