/** What happened beside the curves, drawn behind them and told in a table. */
import type { ReportTelemetry } from '../../../preload/contract/report.ts';
import { sign } from './front.ts';
import { html, type Markup } from './markup.ts';
import { duration, number, type Sign } from './words.ts';
import { T } from './texts.ts';

type Tone = NonNullable<ReportTelemetry['happened']>['marks'][number]['tone'];

const TONES: Record<Tone, Sign> = {
  plain: { icon: '·', word: T.timeline.tones.plain, style: 'none' },
  warn: { icon: '!', word: T.timeline.tones.warn, style: 'warn' },
  fail: { icon: '✕', word: T.timeline.tones.fail, style: 'bad' },
};

/** Below it a band has no room for its number. */
const NUMBER_WIDTH = 12;

export interface Frame {
  top: number;
  bottom: number;
  /** From seconds since the first sample to where it is drawn. */
  x: (seconds: number) => number;
}

/** Steps as bands with their numbers, and lines where something went wrong; to be drawn before the curves. */
export function backdrop({ happened, seconds }: ReportTelemetry, { top, bottom, x }: Frame): Markup | null {
  if (!happened) return null;
  const within = (t: number) => Math.min(Math.max(t, 0), seconds);
  const bands = happened.bands.map(({ from, to }, i) => {
    const [left, right] = [x(within(from)), x(within(to ?? seconds))].map((n) => Math.round(n * 10) / 10);
    const width = (right ?? 0) - (left ?? 0);
    if (width <= 0) return null;
    const place = html`x="${left}" y="${top}" width="${Math.round(width * 10) / 10}" height="${bottom - top}"`;
    const word =
      width < NUMBER_WIDTH
        ? null
        : html`<text class="tick band-number" x="${(left ?? 0) + 3}" y="${top + 9}">${i + 1}</text>`;
    return html`<rect class="band${i % 2 ? ' odd' : ''}" ${place} />${word}`;
  });
  const lines = happened.marks
    .filter((m) => m.tone !== 'plain')
    .flatMap((m) =>
      m.at
        .filter((t) => t >= 0 && t <= seconds)
        .map(
          (t) => html`<path class="mark ${m.tone}" d="M${Math.round(x(t) * 10) / 10} ${top}V${bottom}" />`,
        ),
    );
  return html`${bands}${lines}`;
}

const clock = (seconds: number) => duration(Math.max(0, seconds));

/** Each step with its number and each event, in order of time; null where nothing is told. */
export function timeline({ happened }: ReportTelemetry): Markup | null {
  if (!happened || happened.bands.length + happened.marks.length === 0) return null;
  const bands = happened.bands.map(({ from, to, text }, i) => ({
    at: from,
    when: to === null ? T.timeline.from(clock(from)) : T.timeline.span(clock(from), clock(to)),
    what: html`<span class="band-number">${i + 1}</span> ${text}`,
    kind: sign({ icon: '▮', word: T.timeline.step, style: 'none' }),
  }));
  const marks = happened.marks.map(({ at, text, tone, times }) => ({
    at: at[0] ?? 0,
    when: times === 1 ? clock(at[0] ?? 0) : T.timeline.times(clock(at[0] ?? 0), number(times, 0)),
    what: html`${text}`,
    kind: sign(TONES[tone]),
  }));
  const rows = [...bands, ...marks].sort((a, b) => a.at - b.at);
  return html`<table class="timeline">
    <thead>
      <tr>
        <th>${T.timeline.heads.when}</th>
        <th>${T.timeline.heads.kind}</th>
        <th>${T.timeline.heads.what}</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ when, what, kind }) =>
          html`<tr>
            <td class="time">${when}</td>
            <td>${kind}</td>
            <td>${what}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
