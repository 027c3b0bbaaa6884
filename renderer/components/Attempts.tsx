/** Every result of a check, the newest first: what was run again is kept, and shown. */
import { Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { CheckAttempt } from '../../preload/contract/validation.ts';
import type { StandingCheck } from '../../preload/contract/results.ts';
import { call } from '../api.ts';
import { attempt } from '../stores/frame.ts';
import { timeOf } from '../words.ts';
import { Verdict } from './Verdict.tsx';

export const valueText = ({ value, unit }: StandingCheck['result']): string =>
  value === null
    ? ''
    : [typeof value === 'boolean' ? (value ? 'yes' : 'no') : value, unit].filter(Boolean).join(' ');

/** `times`: how often it was run; a change of it asks again. */
export function Attempts({ session, check, times }: { session: string; check: string; times: number }) {
  const [all, setAll] = useState<CheckAttempt[]>([]);
  useEffect(() => {
    let gone = false;
    void attempt(async () => {
      const found = await call('box.attempts', { session, check });
      if (!gone) setAll(found);
    });
    return () => {
      gone = true;
    };
  }, [session, check, times]);
  return (
    <ol className="attempts" aria-label="Attempts, the newest first">
      {all.map(({ job, attempt: number, at, result }) => (
        <li key={`${job}/${number}`}>
          <Text span size="sm">
            {timeOf(at)}
          </Text>
          <Verdict verdict={result.verdict} />
          <Text span size="sm" className="attempts-value">
            {valueText(result) || result.reason}
          </Text>
        </li>
      ))}
    </ol>
  );
}
