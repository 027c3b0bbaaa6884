/** What a job did, line by line. */
import { useMemo } from 'react';
import type { JobEvent } from '../../preload/contract/events.ts';
import { lineOf } from '../events.ts';
import { Lines } from './Lines.tsx';

export function EventList({ events }: { events: readonly JobEvent[] }) {
  const lines = useMemo(() => events.map(lineOf).filter((l) => l !== null), [events]);
  return (
    <Lines
      label="Events of the job"
      count={lines.length}
      none="No job has run on this box yet. What one does stands here, line by line."
      line={(at) => {
        const line = lines[at];
        return (
          line && (
            <span data-bad={line.bad || undefined}>
              <span className="line-quiet">{line.time}</span> <span className="line-kind">{line.kind}</span>{' '}
              {line.text}
            </span>
          )
        );
      }}
    />
  );
}
