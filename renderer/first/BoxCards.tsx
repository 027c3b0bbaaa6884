/** The boxes this laptop knows: name, where each is, how it stands, and the way back into it. */
import { Badge, Button, Group, Paper, Stack, Text } from '@mantine/core';
import type { BoxCard } from '../../preload/contract/calls.ts';
import { enterBox } from '../stores/place.ts';
import { attempt } from '../stores/frame.ts';
import { timeOf } from '../words.ts';

const open = (card: BoxCard) => void attempt(() => enterBox(card.session));

const resume = (card: BoxCard) => void attempt(() => enterBox(card.session, { resume: true }));

export function BoxCards({ cards }: { cards: readonly BoxCard[] }) {
  return (
    <Stack gap="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
      {cards.map((card) => (
        <Paper key={card.session} component="li" withBorder px="md" py="sm">
          <Group justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Group gap="sm">
                <Text fw={700}>{card.name}</Text>
                {card.practice && (
                  <Badge color="yellow.4" variant="filled" autoContrast>
                    PRACTICE
                  </Badge>
                )}
                <Text size="sm">{card.state}</Text>
              </Group>
              <Text size="xs" c="dimmed" truncate>
                <span className="mono">{card.address}</span> · {card.profile} · {timeOf(card.changedAt)}
              </Text>
            </div>
            <Group gap="xs" wrap="nowrap">
              <Button variant="default" aria-label={`Open ${card.name}`} onClick={() => open(card)}>
                Open
              </Button>
              {card.resumable && (
                <Button aria-label={`Resume ${card.name}`} onClick={() => resume(card)}>
                  Resume
                </Button>
              )}
            </Group>
          </Group>
        </Paper>
      ))}
    </Stack>
  );
}
