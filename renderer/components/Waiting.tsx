/** What a job waits for, in words. Waiting is no failure: it beats, and it ends when its cause does. */
import { Text } from '@mantine/core';
import type { JobView } from '../../preload/contract/reduce.ts';

const WORDS: Readonly<Record<string, string>> = {
  link: 'Waiting for the connection',
  source: 'Waiting for the bundle on this laptop',
  'apt lock': "Waiting for apt's lock",
  logout: 'Waiting until the old user is logged out',
  confirm: 'Waiting for a new key login that confirms the rules',
  reboot: 'Waiting until the box is back from its reboot',
  'other job': 'Waiting for another job on the box',
};

export function Waiting({ waiting }: { waiting: NonNullable<JobView['waiting']> }) {
  return (
    <Text size="sm" className="waiting" role="status">
      <span aria-hidden>… </span>
      {WORDS[waiting.for] ?? `Waiting for ${waiting.for}`}
      {waiting.detail && `: ${waiting.detail}`}
    </Text>
  );
}
