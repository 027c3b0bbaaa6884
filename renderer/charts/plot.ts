/** How a chart is drawn: the options of the plotting library, and what is drawn over and under its lines. */
import uPlot from 'uplot';
import type { ChartKind } from '../../preload/contract/telemetry.ts';
import { clock, number } from '../numbers.ts';
import type { Band, Mark } from './marks.ts';

export interface Limit {
  /** In the chart's unit. */
  value: number;
  text: string;
}

/** What is drawn beside the lines; read anew each time. */
export interface Surroundings {
  limits: readonly Limit[];
  bands: readonly Band[];
  marks: readonly Mark[];
  /** The window of time that shows, in seconds. */
  window: readonly [number, number];
}

/** Colours and dashes of a GPU are app.css's; a fifth GPU has the first one's, drawn thinner. */
const STYLES = 4;

/** The style of GPU `series`, the same in every chart. */
export const styleOf = (series: string) => {
  const gpu = Number(series);
  return Number.isInteger(gpu)
    ? { slot: gpu % STYLES, thin: gpu % (2 * STYLES) >= STYLES }
    : { slot: 0, thin: true };
};

const css = (u: uPlot, name: string) => getComputedStyle(u.root).getPropertyValue(name).trim();

function dashOf(root: Element, slot: number): number[] {
  const text = getComputedStyle(root).getPropertyValue(`--gpu-${slot}-dash`).trim();
  return text === '' || text === 'none' ? [] : text.split(/\s+/).map(Number);
}

const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
const FONT = '11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** The axis holds the values, what the kind of chart always shows, and the limits. */
function yRange(
  kind: ChartKind,
  limits: readonly Limit[],
  low: number | null,
  high: number | null,
): uPlot.Range.MinMax {
  const { from, to, per } = kind;
  const all = [low, high, from === null ? null : from / per, to === null ? null : to / per];
  const known = [...all, ...limits.map((l) => l.value)].filter((v) => v !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  if (!Number.isFinite(least) || !Number.isFinite(most)) return [0, 1];
  const room = (most - least || Math.abs(most) || 1) * 0.08;
  return [from !== null && least >= 0 ? Math.max(0, least - room) : least - room, most + room];
}

function line(u: uPlot, points: readonly [number, number, number, number], dash: number[]): void {
  const { ctx } = u;
  ctx.setLineDash(dash.map((d) => d * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(points[0], points[1]);
  ctx.lineTo(points[2], points[3]);
  ctx.stroke();
}

function drawBands(u: uPlot, { bands, window: [, end] }: Surroundings): void {
  const { left, top, width, height } = u.bbox;
  bands.forEach((band, i) => {
    const x = Math.max(left, u.valToPos(band.from, 'x', true));
    const right = Math.min(left + width, u.valToPos(band.to ?? end, 'x', true));
    if (right <= x) return;
    u.ctx.fillStyle = css(u, i % 2 === 0 ? '--chart-band' : '--chart-band-other');
    u.ctx.fillRect(x, top, right - x, height);
  });
}

function drawLimits(u: uPlot, { limits }: Surroundings): void {
  const { left, top, width, height } = u.bbox;
  u.ctx.strokeStyle = u.ctx.fillStyle = css(u, '--chart-limit');
  u.ctx.lineWidth = devicePixelRatio;
  u.ctx.font = `${10 * devicePixelRatio}px system-ui, "DejaVu Sans", sans-serif`;
  u.ctx.textAlign = 'right';
  for (const { value, text } of limits) {
    const y = Math.round(u.valToPos(value, 'y', true)) + 0.5;
    if (y < top || y > top + height) continue;
    line(u, [left, y, left + width, y], [2, 3]);
    // Below the line where there is no room above it.
    u.ctx.textBaseline = y - top > 14 * devicePixelRatio ? 'bottom' : 'top';
    u.ctx.strokeStyle = css(u, '--mantine-color-body');
    u.ctx.lineWidth = 3 * devicePixelRatio;
    u.ctx.setLineDash([]);
    u.ctx.strokeText(text, left + width - 2, y);
    u.ctx.strokeStyle = css(u, '--chart-limit');
    u.ctx.lineWidth = devicePixelRatio;
    u.ctx.fillText(text, left + width - 2, y);
  }
}

const TONES: Record<Mark['tone'], string> = { plain: '--muted', warn: '--warn', fail: '--fail' };

function drawMarks(u: uPlot, { marks }: Surroundings): void {
  const { left, top, width, height } = u.bbox;
  const size = 4 * devicePixelRatio;
  for (const { at, tone } of marks) {
    const x = Math.round(u.valToPos(at, 'x', true)) + 0.5;
    if (x < left || x > left + width) continue;
    u.ctx.strokeStyle = u.ctx.fillStyle = css(u, TONES[tone]);
    u.ctx.lineWidth = devicePixelRatio;
    line(u, [x, top, x, top + height], tone === 'plain' ? [1, 4] : [4, 2]);
    if (tone === 'plain') continue;
    u.ctx.beginPath();
    u.ctx.moveTo(x - size, top);
    u.ctx.lineTo(x + size, top);
    u.ctx.lineTo(x, top + 1.6 * size);
    u.ctx.fill();
  }
}

/** Draws within the plotting area and leaves the canvas as it was. */
function drawing(draw: (u: uPlot, around: Surroundings) => void, around: () => Surroundings) {
  return (u: uPlot) => {
    const { left, top, width, height } = u.bbox;
    u.ctx.save();
    u.ctx.beginPath();
    u.ctx.rect(left, top, width, height);
    u.ctx.clip();
    draw(u, around());
    u.ctx.restore();
  };
}

/**
 * A line that goes up and down more than so many times the chart's width: its dashes run into each other. Thin and without them it is read
 * as well, and Chromium draws it several times sooner where no GPU helps.
 */
const RESTLESS = 6;

/** How far a line goes up and down in the window that shows, in dots. */
function travel(u: uPlot, i: number): number {
  const values = u.data[i];
  const [from, to] = u.series[0]?.idxs ?? [0, -1];
  const { min, max } = u.scales['y'] ?? {};
  if (!values || min === undefined || max === undefined) return 0;
  let sum = 0;
  let before: number | null = null;
  for (let at = from; at <= to; at++) {
    const value = values[at];
    if (value === undefined) continue;
    if (value !== null && before !== null) sum += Math.abs(value - before);
    before = value;
  }
  return (sum / (max - min || 1)) * u.bbox.height;
}

interface Stroke {
  dash: number[];
  width: number;
}

const THIN: Stroke = { dash: [], width: 1 };

function strokeOf(root: Element, gpu: string): Stroke {
  const { slot, thin } = styleOf(gpu);
  return { dash: dashOf(root, slot), width: thin ? THIN.width : 1.75 };
}

/** Gives each line its own stroke, or the thin one where it is restless in the window that shows. */
function stroked(u: uPlot, strokes: readonly Stroke[]): void {
  strokes.forEach((own, i) => {
    const series = u.series[i + 1];
    if (series) Object.assign(series, travel(u, i + 1) > RESTLESS * u.bbox.width ? THIN : own);
  });
}

interface Order {
  kind: ChartKind;
  series: readonly string[];
  /** Charts with the same key share their cursor. */
  sync: string;
  size: { width: number; height: number };
  /** Where the colours are read. */
  root: Element;
  around: () => Surroundings;
  onZoom: (from: number, to: number) => void;
  onWhole: () => void;
  /** For each GPU the index of the value under the cursor, null where there is none. */
  onCursor: (u: uPlot) => void;
}

export function optionsOf(order: Order): uPlot.Options {
  const { kind, series, sync, size, root, around } = order;
  const axis = { stroke: (u: uPlot) => css(u, '--muted'), font: FONT, ticks: { show: false } };
  const strokes = series.map((name) => strokeOf(root, name));
  const grid = { stroke: (u: uPlot) => css(u, '--chart-grid'), width: 1 };
  return {
    ...size,
    padding: [8, 22, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: 4 },
      sync: { key: sync, scales: ['x', null], setSeries: false },
      bind: {
        dblclick: () => () => {
          order.onWhole();
          return null;
        },
      },
    },
    scales: {
      x: { time: false, range: () => [...around().window] },
      y: { range: (_u, low, high) => yRange(kind, around().limits, low, high) },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        incrs: TIMES,
        space: 60,
        values: (_u, at) => at.map(clock),
      },
      { ...axis, grid, size: 46, space: 24, values: (_u, at) => at.map((v) => number(v, v % 1 ? 1 : 0)) },
    ],
    series: [
      {},
      ...series.map((name, i) => ({
        stroke: (u: uPlot) => css(u, `--gpu-${styleOf(name).slot}`),
        ...strokes[i],
        points: { show: false },
        ...(kind.stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      })),
    ],
    hooks: {
      drawClear: [drawing(drawBands, around), (u) => stroked(u, strokes)],
      draw: [drawing(drawLimits, around), drawing(drawMarks, around)],
      setCursor: [order.onCursor],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          // The charts that share the cursor are told of the drag as well; one of them answers.
          if (u.cursor.event && width > 0) order.onZoom(u.posToVal(left, 'x'), u.posToVal(left + width, 'x'));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}
