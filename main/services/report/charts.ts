/** Telemetry as inline SVG: one line a GPU, told apart by colour and by dashes, with axes in units. */
import type { ReportSeries, ReportTelemetry } from '../../../preload/contract/report.ts';
import { html, type Markup } from './markup.ts';
import { number } from './words.ts';
import { backdrop } from './timeline.ts';
import { T } from './texts.ts';

interface ChartKind {
  field: string;
  title: string;
  unit: string;
  /** Divides what was measured. */
  per: number;
  digits: number;
  /** The lowest top of the axis; null begins and ends it around the values. */
  top: number | null;
  /** A field whose highest value is drawn as a limit. */
  limit: { field: string; title: string } | null;
  /** A value that stays until the next one. */
  stepped: boolean;
  /** Where the axis is marked as long as the values lie within; null finds round numbers. */
  marks: readonly number[] | null;
}

const kind = (
  field: string,
  title: string,
  unit: string,
  more: Partial<Omit<ChartKind, 'field' | 'title' | 'unit'>> = {},
): ChartKind => ({
  field,
  title,
  unit,
  per: 1,
  digits: 0,
  top: 1,
  limit: null,
  stepped: false,
  marks: null,
  ...more,
});

export const CHARTS: readonly ChartKind[] = [
  kind('temperature.gpu', T.telemetry.charts.temperature, '°C', { top: null }),
  kind('power.draw', T.telemetry.charts.power, 'W', {
    limit: { field: 'power.limit', title: T.telemetry.charts.powerLimit },
  }),
  kind('utilization.gpu', T.telemetry.charts.utilization, '%', { marks: [0, 25, 50, 75, 100] }),
  kind('memory.used', T.telemetry.charts.memory, 'GiB', {
    per: 1024,
    digits: 1,
    limit: { field: 'memory.total', title: T.telemetry.charts.total },
  }),
  kind('clocks.current.sm', T.telemetry.charts.clock, 'MHz'),
  kind('pcie.link.gen.current', T.telemetry.charts.generation, '', {
    stepped: true,
    marks: [0, 1, 2, 3, 4, 5, 6],
  }),
  kind('pcie.link.width.current', T.telemetry.charts.width, T.telemetry.charts.lanes, {
    stepped: true,
    marks: [0, 4, 8, 12, 16],
  }),
];

const WIDTH = 520;
const HEIGHT = 190;
const LEFT = 50;
const RIGHT = 510;
const TOP = 14;
const BOTTOM = 160;

/** Steps of 1, 2 or 5 times a power of ten, at most `most` of them between `low` and `high`. */
export function ticks(low: number, high: number, most: number): number[] {
  const rough = (high - low) / most || 1;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * ten).find((s) => s >= rough) ?? rough;
  const from = Math.floor(low / step) * step;
  const all: number[] = [];
  for (let i = 0; from + i * step < high + step * 0.999; i++)
    all.push(Number((from + i * step).toPrecision(12)));
  return all;
}

/** Time axis: steps of seconds, minutes or hours. */
const TIME_STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400,
];

function timeTicks(seconds: number): { at: number; text: string }[] {
  const step = TIME_STEPS.find((s) => seconds / s <= 8) ?? 86400 * Math.ceil(seconds / 86400 / 8);
  const unit =
    step >= 3600 ? { per: 3600, name: 'h' } : step >= 60 ? { per: 60, name: 'min' } : { per: 1, name: 's' };
  const count = Math.floor(seconds / step) + 1;
  return Array.from({ length: count }, (_, i) => ({
    at: i * step,
    text: `${number((i * step) / unit.per, 2)} ${unit.name}`,
  }));
}

const round = (n: number) => Math.round(n * 10) / 10;

function path(
  series: ReportSeries,
  stepped: boolean,
  x: (t: number) => number,
  y: (v: number) => number,
): string {
  let d = '';
  for (const [t, v] of series.points) {
    const [px, py] = [round(x(t)), round(y(v))];
    if (d === '') d = `M${px} ${py}`;
    else d += stepped ? `H${px}V${py}` : `L${px} ${py}`;
  }
  // A single sample is a dot: a line of no length with round ends.
  return series.points.length === 1 ? `${d}h0` : d;
}

/** A style of its own for each of the first eight lines: four colours, drawn thick and thin. */
const styleOf = (index: number) => `g${index % 4}${index % 8 >= 4 ? ' thin' : ''}`;

function marksOf(k: ChartKind, low: number, high: number): readonly number[] {
  if (k.marks && low >= (k.marks[0] ?? 0) && high <= (k.marks.at(-1) ?? 0)) return k.marks;
  return k.top === null ? ticks(low, Math.max(high, low + 1), 4) : ticks(0, Math.max(high, k.top), 4);
}

function range(s: ReportSeries, k: ChartKind): string {
  const [low, high] = [number(s.min / k.per, k.digits), number(s.max / k.per, k.digits)];
  return `${low === high ? low : T.telemetry.to(low, high)} ${k.unit}`.trim();
}

function legend(all: readonly ReportSeries[], k: ChartKind): Markup {
  return html`<ul class="legend">
    ${all.map(
      (s, i) =>
        html`<li>
          <svg class="line" viewBox="0 0 28 8" aria-hidden="true">
            <path class="${styleOf(i)}" d="M1 4H27" /></svg
          >${T.telemetry.gpu(s.name)} <span class="range">${range(s, k)}</span>
        </li>`,
    )}
  </ul>`;
}

function chart(k: ChartKind, telemetry: ReportTelemetry): Markup | null {
  const of = (field: string) => telemetry.fields.find((f) => f.field === field)?.series ?? [];
  const all = of(k.field);
  if (all.length === 0) return null;
  const limits = k.limit ? of(k.limit.field).map((s) => s.max) : [];
  const limit = limits.length ? Math.max(...limits) / k.per : null;
  const low = Math.min(...all.map((s) => s.min)) / k.per;
  const high = Math.max(...all.map((s) => s.max)) / k.per;
  const marks = marksOf(k, low, Math.max(high, limit ?? high));
  const bottom = marks[0] ?? 0;
  const top = marks.at(-1) ?? 1;
  const seconds = Math.max(telemetry.seconds, 1e-3);
  const x = (t: number) => LEFT + (t / seconds) * (RIGHT - LEFT);
  const y = (v: number) => BOTTOM - ((v / k.per - bottom) / (top - bottom)) * (BOTTOM - TOP);
  const atMark = (m: number) => round(y(m * k.per));
  const said = `${k.title}: ${all.map((s) => `${T.telemetry.gpu(s.name)} ${range(s, k)}`).join(', ')}`;
  return html`<figure class="chart">
    <figcaption>${k.title} <span class="unit">${k.unit}</span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${said}">
      ${backdrop(telemetry, { top: TOP, bottom: BOTTOM, x })}
      ${marks.map(
        (m) =>
          html`<path class="grid" d="M${LEFT} ${atMark(m)}H${RIGHT}" /><text
              class="tick y"
              x="${LEFT - 6}"
              y="${atMark(m) + 4}"
              >${number(m, 2)}</text
            >`,
      )}
      ${timeTicks(telemetry.seconds).map(
        ({ at, text }) =>
          html`<path class="grid" d="M${round(x(at))} ${BOTTOM}v4" /><text
              class="tick x"
              x="${round(x(at))}"
              y="${BOTTOM + 18}"
              >${text}</text
            >`,
      )}
      ${limit === null ? null : html`<path class="limit" d="M${LEFT} ${atMark(limit)}H${RIGHT}" />`}
      ${all.map((s, i) => html`<path class="${styleOf(i)}" d="${path(s, k.stepped, x, y)}" />`)}
      ${limit === null ? null : html`<text class="tick limit-word" x="${RIGHT}" y="${atMark(limit) - 4}">${k.limit?.title} ${number(limit, k.digits)} ${k.unit}</text>`}
    </svg>
    ${legend(all, k)}
  </figure>`;
}

/** All charts of one attempt; those of fields that were not measured are left out. */
export function charts(telemetry: ReportTelemetry): Markup[] {
  return CHARTS.map((k) => chart(k, telemetry)).filter((c) => c !== null);
}
