/** What happened beside the curves of one attempt: its steps, the driver's errors, and what slowed cards down. */
import type { JobEvent } from '../../../preload/contract/events.ts';
import { Bands, markOf, type Told } from '../../../preload/contract/marks.ts';
import type { ReportHappened } from '../../../preload/contract/report.ts';

/** A card at its power limit may be slowed down each second of a day: how often is told whole, when for the first times. */
const TIMES_KEPT = 50;

const round = (n: number) => Math.round(n * 1000) / 1000;

export class Happened {
  readonly #bands = new Bands();
  readonly #marks = new Map<string, ReportHappened['marks'][number]>();

  /** `at`: in seconds of the attempt's own clock, which goes on through reboots. */
  event(event: JobEvent, at: number): void {
    this.#bands.add(event, at);
    this.mark(markOf(event), at);
  }

  mark(told: Told | null, at: number): void {
    if (!told) return;
    const known = this.#marks.get(told.text);
    if (!known) this.#marks.set(told.text, { ...told, times: 1, at: [at] });
    else {
      known.times += 1;
      if (known.at.length < TIMES_KEPT) known.at.push(at);
    }
  }

  /** `from`: the time of the first sample. */
  told(from: number): ReportHappened {
    const marks = [...this.#marks.values()].map((m) => ({ ...m, at: m.at.map((t) => round(t - from)) }));
    return {
      bands: this.#bands.all.map(({ from: begin, to, text }) => {
        return { from: round(begin - from), to: to === null ? null : round(to - from), text };
      }),
      marks: marks.sort((a, b) => (a.at[0] ?? 0) - (b.at[0] ?? 0)),
    };
  }
}
