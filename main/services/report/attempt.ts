/** One attempt read for the report, from its stored lines alone: what they make of it, and whether they are whole. */
import type { JobEvent } from '../../../preload/contract/events.ts';
import type { JobRow } from '../../../preload/contract/job.ts';
import { EMPTY_JOB, reduceJob, type JobView } from '../../../preload/contract/reduce.ts';
import type { ReportJob, ReportTelemetry } from '../../../preload/contract/report.ts';
import { evidenceOf } from '../../../preload/contract/results.ts';
import type { Attempt } from '../../../preload/contract/standing.ts';
import type { Journal } from '../../journal/journal.ts';
import type { CheckedLine } from '../../journal/chain.ts';
import type { Verified, VisitLine } from '../../journal/lines.ts';
import { Telemetry } from './telemetry.ts';

export interface ReadAttempt extends Attempt {
  job: ReportJob;
  telemetry: ReportTelemetry[];
}

/** Time on the box's monotonic clock, which begins anew with each boot: the stretches of all boots together. */
class Clock {
  readonly boots: string[] = [];
  #seconds = 0;
  #from = 0;
  #to = 0;

  add({ env }: JobEvent): void {
    if (env.boot !== this.boots.at(-1)) {
      this.#seconds += this.#to - this.#from;
      this.#from = env.mono;
      this.boots.push(env.boot);
    }
    this.#to = env.mono;
  }

  /** Null before the first event. */
  get seconds(): number | null {
    return this.boots.length ? Math.max(0, this.#seconds + this.#to - this.#from) : null;
  }
}

function whyLost(journal: Journal, { job, attempt }: JobRow, whole: boolean): string | null {
  try {
    return journal.view(job, attempt).detail;
  } catch (error) {
    // Only a line that cannot be read is expected here, and only where the record is known not to be whole.
    if (whole) throw error;
    return null;
  }
}

/** One attempt while its lines are read, wherever they come from: the journal, or an archive. */
export class Reading {
  readonly #clock = new Clock();
  readonly #telemetry = new Telemetry();
  #view: JobView = EMPTY_JOB;
  #head: string | null = null;

  add({ event, sha256 }: CheckedLine): void {
    this.#view = reduceJob(this.#view, event);
    this.#clock.add(event);
    this.#telemetry.add(event);
    this.#head = sha256;
  }

  /** `whyLost`: what is known of the gap of an attempt whose result never came. */
  end(row: JobRow, verified: Verified, whyLost: string | null): ReadAttempt {
    const view: JobView =
      row.state === 'lost' ? { ...this.#view, state: 'lost', detail: whyLost } : this.#view;
    const { job, attempt, title } = row;
    return {
      row,
      view,
      broken: verified.ok ? null : verified.detail,
      job: {
        job,
        attempt,
        kind: row.kind,
        title,
        state: row.state,
        createdAt: row.createdAt,
        startedAt: view.startedAt,
        lastAt: view.lastAt,
        seconds: view.seconds ?? this.#clock.seconds,
        laptop: row.spec.laptop,
        runner: view.runner,
        evidence: evidenceOf([{ row, view }]),
        boots: this.#clock.boots,
        counts: view.counts,
        code: view.code,
        detail: view.detail,
        events: view.lastSeq,
        specSha256: row.specSha256,
        headSha256: this.#head,
        chain: verified.ok ? { ok: true } : { ok: false, line: verified.seq, detail: verified.detail },
        unknown: view.unknown,
      },
      telemetry: this.#telemetry.summary({ job, attempt, title }),
    };
  }
}

/** Reads it once. Never throws for a line that was spoilt: the chain says so, and reading ends there. `keep` gets every line. */
export function readAttempt(journal: Journal, row: JobRow, keep?: VisitLine): ReadAttempt {
  const reading = new Reading();
  const verified = journal.verify(row.job, row.attempt, (line) => {
    reading.add(line);
    keep?.(line);
  });
  return reading.end(row, verified, row.state === 'lost' ? whyLost(journal, row, verified.ok) : null);
}
