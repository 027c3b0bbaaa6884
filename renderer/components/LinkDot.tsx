/** Whether the link to the box is alive: a dot, a word, and the round trip. A dead link is never a failed job. */
import { Group, Text } from '@mantine/core';
import type { Link } from '../../preload/contract/calls.ts';
import { useDesk } from '../stores/desk.ts';
import { linkWord } from '../words.ts';

const COLOURS: Record<string, string> = {
  live: 'var(--pass)',
  reconnecting: 'var(--warn)',
  silent: 'var(--warn)',
};

/** Below 10 ms a tenth tells a cable from a switch; above it does not. */
const milliseconds = (ms: number | null) =>
  ms === null ? null : `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;

export function LinkDot({ link }: { link: Link }) {
  const trip = useDesk((s) => milliseconds(s.rttMs ?? link.rttMs));
  return (
    <Group gap={6} wrap="nowrap" title={link.detail} data-link={link.state ?? 'none'}>
      <span
        aria-hidden
        className="dot"
        style={{
          background: link.state ? COLOURS[link.state] : 'transparent',
          borderColor: link.state ? 'transparent' : 'var(--muted)',
        }}
      />
      <Text size="sm" span>
        {linkWord(link)}
        {trip && ` ${trip}`}
      </Text>
    </Group>
  );
}
