/** What a job did, line by line. */
import { useMemo } from 'react';
import type { JobEvent } from '../../preload/contract/events.ts';
import { isTold, lineOf } from '../events.ts';
import { Lines } from './Lines.tsx';

function Line({ event }: { event: JobEvent }) {
  const { bad, time, kind, text } = lineOf(event);
  return (
    <span data-bad={bad || undefined}>
      <span className="line-quiet">{time}</span> <span className="line-kind">{kind}</span> {text}
    </span>
  );
}

interface Props {
  events: readonly JobEvent[];
  label?: string;
}

export function EventList({ events, label = 'Events of the job' }: Props) {
  const told = useMemo(() => events.filter(isTold), [events]);
  return (
    <Lines
      label={label}
      count={told.length}
      none="No job has run on this box yet. What one does stands here, line by line."
      line={(at) => {
        const event = told[at];
        return event && <Line event={event} />;
      }}
    />
  );
}
