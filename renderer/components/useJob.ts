/** What the events of an attempt make of it; read from main where the window does not have them. */
import { useEffect } from 'react';
import { jobKey, loadJob, useDesk, type JobMirror } from '../stores/desk.ts';
import { attempt } from '../stores/frame.ts';

interface At {
  job: string;
  attempt: number;
}

export function useJob(session: string, at: At | null): JobMirror | undefined {
  const key = at && jobKey(at.job, at.attempt);
  const mirror = useDesk((s) => (key === null ? undefined : s.jobs[key]));
  const job = at?.job ?? null;
  const number = at?.attempt ?? 0;
  useEffect(() => {
    if (job !== null) void attempt(() => loadJob(session, job, number));
  }, [session, job, number]);
  return mirror;
}
