/** The job's log as it was written, a line an event: what the record and its hashes are about. */
import type { JobEvent } from '../../preload/contract/events.ts';
import { Lines } from './Lines.tsx';

export function RawLog({ events }: { events: readonly JobEvent[] }) {
  return (
    <Lines
      label="Raw log of the job"
      count={events.length}
      none="No job has run on this box yet. Its log stands here as it was written."
      line={(at) => {
        const event = events[at];
        return event && JSON.stringify(event.env);
      }}
    />
  );
}
