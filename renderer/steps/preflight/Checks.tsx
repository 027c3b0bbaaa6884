/** Preflight's checks under their headings. A group in which something is not as it should be is open, the others wait. */
import { Box, Group, Text, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import { isBlocker, PREFLIGHT_GROUPS } from '../../../preload/contract/preflight.ts';
import type { StandingCheck } from '../../../preload/contract/results.ts';
import { CheckRow } from '../../components/CheckRow.tsx';
import { Verdict } from '../../components/Verdict.tsx';
import type { Verdict as Kind } from '../../../preload/contract/outcome.ts';

interface GroupProps {
  session: string;
  title: string;
  checks: readonly StandingCheck[];
}

const ORDER: readonly Kind[] = ['fail', 'error', 'warn', 'not_run', 'not_supported', 'pass'];

function Counts({ checks }: { checks: readonly StandingCheck[] }) {
  const counts = ORDER.map((verdict) => ({
    verdict,
    count: checks.filter((c) => c.result.verdict === verdict).length,
  })).filter((c) => c.count > 0);
  return (
    <Group gap="md">
      {counts.map(({ verdict, count }) => (
        <Text key={verdict} size="sm" span>
          {count} <Verdict verdict={verdict} />
        </Text>
      ))}
    </Group>
  );
}

function Section({ session, title, checks }: GroupProps) {
  const calm = checks.every((c) => ['pass', 'not_supported'].includes(c.result.verdict));
  const [open, setOpen] = useState(!calm);
  return (
    <Box component="section" aria-label={title} className="group">
      <UnstyledButton className="group-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span aria-hidden className="check-caret">
          {open ? '▾' : '▸'}
        </span>
        <Text fw={700} span flex={1}>
          {title}
        </Text>
        <Counts checks={checks} />
      </UnstyledButton>
      {open && checks.map((c) => <CheckRow key={c.result.id} session={session} check={c} />)}
    </Box>
  );
}

export function Checks({ session, checks }: Omit<GroupProps, 'title'>) {
  const rest = checks.filter((c) => !isBlocker(c.result));
  const named = PREFLIGHT_GROUPS.flatMap((g) => g.checks);
  const groups = [
    ...PREFLIGHT_GROUPS.map((g) => ({
      title: g.title,
      checks: rest.filter((c) => g.checks.includes(c.result.id)),
    })),
    { title: 'Other', checks: rest.filter((c) => !named.includes(c.result.id)) },
  ];
  return (
    <>
      {groups
        .filter((g) => g.checks.length > 0)
        .map((g) => (
          <Section key={g.title} session={session} title={g.title} checks={g.checks} />
        ))}
    </>
  );
}
