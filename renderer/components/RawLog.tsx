/** The job's log as it was written, a line an event: what the record and its hashes are about. Read where somebody looks. */
import { useEffect, useRef, useState } from 'react';
import { call } from '../api.ts';
import { attempt as show } from '../stores/frame.ts';
import { Lines } from './Lines.tsx';

/** Lines that are asked for at once. */
const PAGE = 200;
/** Pages kept before and after those in sight. */
const NEAR = 2;

interface Props {
  session: string;
  job: string;
  attempt: number;
  /** Lines of the log so far; the first is line 1. */
  count: number;
}

type Pages = ReadonlyMap<number, readonly string[]>;
const pageOf = (at: number) => Math.floor(at / PAGE);

export function RawLog({ session, job, attempt, count }: Props) {
  const [pages, setPages] = useState<Pages>(new Map());
  const [[first, last], setSight] = useState<readonly [number, number]>([0, 0]);
  const asked = useRef(new Set<number>());

  useEffect(() => {
    const wanted = Array.from({ length: pageOf(last) - pageOf(first) + 1 }, (_, i) => pageOf(first) + i);
    const near = (page: number) => page >= pageOf(first) - NEAR && page <= pageOf(last) + NEAR;
    for (const page of wanted) {
      const length = Math.min(PAGE, count - page * PAGE);
      if ((pages.get(page)?.length ?? 0) >= length || asked.current.has(page)) continue;
      asked.current.add(page);
      void show(async () => {
        const after = page * PAGE;
        const answer = await call('job.lines', { session, job, attempt, after, limit: PAGE, samples: true });
        setPages((now) => new Map([...now].filter(([p]) => near(p))).set(page, answer.lines));
      }).finally(() => asked.current.delete(page));
    }
  }, [session, job, attempt, count, first, last, pages]);

  return (
    <Lines
      label="Raw log of the job"
      count={count}
      none="No job has run on this box yet. Its log stands here as it was written."
      line={(at) => pages.get(pageOf(at))?.[at % PAGE] ?? '…'}
      onSight={(from, to) => setSight([from, to])}
    />
  );
}
