/** One field of all GPUs over time. The window, the cursor and the marks are shared by the charts beside it. */
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useLayoutEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { ChartKind } from '../../preload/contract/telemetry.ts';
import { optionsOf, styleOf, type Surroundings } from '../charts/plot.ts';
import { number } from '../numbers.ts';

interface Props extends Surroundings {
  kind: ChartKind;
  /** GPU numbers, in the order of the data's columns. */
  series: readonly string[];
  data: uPlot.AlignedData;
  /** The least to the most of each, as text. */
  ranges: readonly string[];
  sync: string;
  onZoom: (from: number, to: number) => void;
  onWhole: () => void;
  /** Called with the plot when there is one, and with null when it is gone. */
  onPlot: (plot: uPlot | null) => void;
}

const HEIGHT = 118;

type Column = uPlot.AlignedData[number];

/** Index of the last time that is not after `end`. */
function lastUntil(times: Column | undefined, end: number): number {
  let at = (times?.length ?? 0) - 1;
  while (at >= 0 && Number(times?.[at]) > end) at--;
  return at;
}

/** The newest value at or before index `at`; null where nothing was measured. */
function valueAt(column: Column | undefined, at: number): number | null {
  if (!column) return null;
  for (let i = at; i >= 0; i--) {
    const value = column[i];
    if (value !== null && value !== undefined) return value;
    if (value === null) return null;
  }
  return null;
}

export function Chart({ kind, series, data, ranges, sync, onZoom, onWhole, onPlot, ...around }: Props) {
  const scheme = useComputedColorScheme('light');
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const values = useRef<(HTMLElement | null)[]>([]);
  const latest = useRef({ around, onZoom, onWhole, onPlot, data });
  latest.current = { around, onZoom, onWhole, onPlot, data };

  const tell = (u: uPlot | null) => {
    const { data: shown, around: now } = latest.current;
    const end = lastUntil(shown[0], now.window[1]);
    series.forEach((_, i) => {
      const span = values.current[i];
      const value = valueAt(shown[i + 1], u?.cursor.idxs?.[i + 1] ?? end);
      if (span) span.textContent = value === null ? '–' : number(value, kind.digits);
    });
  };

  const structure = `${kind.field} ${series.join(' ')}`;
  useLayoutEffect(() => {
    const root = place.current;
    if (!root) return undefined;
    const made = new uPlot(
      optionsOf({
        kind,
        series,
        sync,
        size: { width: root.clientWidth || 300, height: HEIGHT },
        root,
        around: () => latest.current.around,
        onZoom: (from, to) => latest.current.onZoom(from, to),
        onWhole: () => latest.current.onWhole(),
        onCursor: tell,
      }),
      latest.current.data,
      root,
    );
    plot.current = made;
    latest.current.onPlot(made);
    // Told once at the beginning, of the size that it has already.
    const watcher = new ResizeObserver(([now]) => {
      const width = now?.contentRect.width ?? made.width;
      if (Math.abs(width - made.width) >= 1) made.setSize({ width: Math.floor(width), height: HEIGHT });
    });
    watcher.observe(root);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
      latest.current.onPlot(null);
    };
  }, [structure, sync]);

  const [from, to] = around.window;
  useEffect(() => {
    plot.current?.setData(data);
    tell(plot.current);
  }, [data, structure]);
  // The colours are read while drawing, so a new scheme is a new drawing.
  useEffect(() => {
    plot.current?.setScale('x', { min: from, max: to });
    tell(plot.current);
  }, [from, to, scheme, around.bands, around.marks, around.limits]);

  const said = series.map((name, i) => `GPU ${name} ${ranges[i] ?? ''} ${kind.unit}`.trim());
  return (
    <figure className="chart" aria-label={`${kind.title}: ${said.join(', ')}`}>
      <figcaption>
        <span className="chart-title">
          {kind.title}
          {kind.unit && <span className="chart-unit"> {kind.unit}</span>}
        </span>
        <span className="chart-legend">
          {series.map((name, i) => {
            const { slot, thin } = styleOf(name);
            return (
              <span key={name} className="chart-key">
                <svg width="16" height="8" aria-hidden>
                  <line
                    x1="0"
                    y1="4"
                    x2="16"
                    y2="4"
                    className={`gpu-line gpu-line-${slot}`}
                    data-thin={thin}
                  />
                </svg>
                {name}{' '}
                <span
                  className="chart-value"
                  ref={(span) => {
                    values.current[i] = span;
                  }}
                />
              </span>
            );
          })}
        </span>
      </figcaption>
      <div ref={place} className="chart-plot" aria-hidden />
    </figure>
  );
}
