/** Who, where, and whether the link is alive; above it the striped bar of whatever is not real. */
import { Box, Group, Text } from '@mantine/core';
import type { BoxState } from '../../preload/contract/calls.ts';
import { addressText } from '../../preload/contract/session.ts';
import { jobKey, useDesk } from '../stores/desk.ts';
import { marking } from '../words.ts';
import { BoxMenu } from './BoxMenu.tsx';
import { GpuSummary } from './GpuSummary.tsx';
import { LinkDot } from './LinkDot.tsx';

export function TopBar({ box }: { box: BoxState }) {
  const { session, active } = box;
  const mirror = useDesk((s) => (active ? s.jobs[jobKey(active.job, active.attempt)] : undefined));
  const mark = marking(box);
  return (
    <Box component="section" aria-label="Box" data-region="top" tabIndex={-1}>
      {mark && (
        <div className="striped" data-marking={mark}>
          <span>{mark}</span>
        </div>
      )}
      <Group px="lg" h={44} gap="lg" wrap="nowrap" className="topbar">
        <Text component="h1" fw={700} m={0} truncate>
          <span aria-hidden>▣ </span>
          {session.name}
        </Text>
        <Text size="sm" span className="mono" truncate>
          {session.address ? session.address.host : addressText(null)}
          {session.address && session.address.port !== 22 && ` port ${session.address.port}`}
        </Text>
        <Text size="sm" span truncate>
          {session.user}
        </Text>
        <LinkDot link={box.link} />
        <Box flex={1} />
        {mirror && <GpuSummary samples={mirror.samples} />}
        <BoxMenu box={box} />
      </Group>
    </Box>
  );
}
