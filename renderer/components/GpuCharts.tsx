/** What the GPUs did during one attempt: a chart a field, with one cursor and one window of time for all of them. */
import { ActionIcon, Group, Text } from '@mantine/core';
import { useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { BoxState } from '../../preload/contract/calls.ts';
import { ENDED } from '../../preload/contract/job.ts';
import { Profile } from '../../preload/contract/profile.ts';
import {
  CHART_KINDS,
  POWER_LIMIT_FIELD,
  REASONS_FIELD,
  thresholdsOf,
  type ChartKind,
  type Threshold,
} from '../../preload/contract/telemetry.ts';
import '../charts/charts.css';
import { aligned, rangeOf, type Lines } from '../charts/lines.ts';
import { bandsOf, marksOf } from '../charts/marks.ts';
import type { Limit } from '../charts/plot.ts';
import { useDetail, useLines } from '../charts/useLines.ts';
import { turned, turnOf, within, type Turn, type Window } from '../charts/zoom.ts';
import { clock, number } from '../numbers.ts';
import { Chart } from './Chart.tsx';
import { ChartCsv } from './ChartCsv.tsx';
import { ChartMarks } from './ChartMarks.tsx';
import { ErrorView } from './ErrorView.tsx';
import { useJob } from './useJob.ts';

interface Props {
  box: BoxState;
  job: string;
  attempt: number;
}

const TURNS: readonly { turn: Turn; sign: string; label: string }[] = [
  { turn: 'in', sign: '+', label: 'Zoom in' },
  { turn: 'out', sign: '−', label: 'Zoom out' },
  { turn: 'earlier', sign: '‹', label: 'Earlier' },
  { turn: 'later', sign: '›', label: 'Later' },
  { turn: 'whole', sign: '⇔', label: 'Whole time' },
];

function limitsOf(kind: ChartKind, thresholds: readonly Threshold[], lines: Lines): Limit[] {
  const own = lines.of(POWER_LIMIT_FIELD).map((l) => l.value[l.length - 1] ?? 0);
  const power =
    kind.field === 'power.draw' && own.length > 0 ? [{ value: Math.max(...own), text: 'power limit' }] : [];
  return [...thresholds.filter((t) => t.field === kind.field), ...power].map(({ value, text }) => ({
    value: value / kind.per,
    text: `${text} ${number(value / kind.per, kind.digits)} ${kind.unit}`.trim(),
  }));
}

interface Plotted {
  kind: ChartKind;
  series: string[];
  data: uPlot.AlignedData;
  /** Least to most, a line each. */
  ranges: string[];
}

/** What there is to draw: a chart for each field that a card reports. */
function plotted(lines: Lines, zero: number): Plotted[] {
  return CHART_KINDS.flatMap((kind) => {
    const found = lines.of(kind.field);
    if (found.length === 0) return [];
    const ranges = found.map((l) => rangeOf(l, kind));
    return [{ kind, ranges, series: found.map((l) => l.series), data: aligned(found, zero, kind.per) }];
  });
}

export function GpuCharts({ box, job, attempt }: Props) {
  const sync = useId();
  const row = box.jobs.find((r) => r.job === job && r.attempt === attempt);
  const mirror = useJob(box.session.id, { job, attempt });

  const events = mirror?.events ?? NO_EVENTS;
  const { lines, version, loading, error } = useLines(job, attempt);
  const span = lines.span;
  const zero = events[0]?.env.mono ?? span?.from ?? 0;
  const whole: Window = span ? [0, Math.max(1, span.to - zero)] : [0, 1];
  const [chosen, setChosen] = useState<Window | null>(null);
  const window = chosen ?? whole;
  const detail = useDetail(job, attempt, lines, chosen && [chosen[0] + zero, chosen[1] + zero]);

  const profile = useMemo(() => Profile.safeParse(row?.spec.params['profile']).data ?? null, [row]);
  const thresholds = useMemo(() => (profile ? thresholdsOf(profile) : []), [profile]);
  const bands = useMemo(() => bandsOf(events, zero), [events, zero]);
  const marks = useMemo(() => marksOf(events, lines.of(REASONS_FIELD), zero), [events, lines, version, zero]);
  // Joined once each: a turn of the zoom that leaves the detail finds the whole as it was.
  const ofWhole = useMemo(() => plotted(lines, zero), [lines, version, zero]);
  const near = useMemo(() => detail && plotted(detail, zero), [detail, zero]);
  const limits = useMemo(
    () => new Map(CHART_KINDS.map((kind) => [kind.field, limitsOf(kind, thresholds, lines)])),
    [lines, version, thresholds],
  );
  const charts = near ?? ofWhole;

  const plots = useRef(new Map<string, uPlot>());
  const onPlot = (field: string) => (plot: uPlot | null) => {
    if (plot) plots.current.set(field, plot);
    else plots.current.delete(field);
  };
  const moveCursor = (part: number) => {
    for (const u of plots.current.values()) {
      const width = u.over.clientWidth;
      const left = Math.min(
        width,
        Math.max(0, (u.cursor.left ?? -1) < 0 ? width / 2 : (u.cursor.left ?? 0) + part * width),
      );
      u.setCursor({ left, top: 1 });
    }
  };
  const turn = (how: Turn) => setChosen(turned(whole, chosen, how));
  const onKey = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const how = turnOf(e.key);
    if (e.shiftKey && (how === 'earlier' || how === 'later')) moveCursor(how === 'later' ? 0.02 : -0.02);
    else if (how) turn(how);
    else return;
    e.preventDefault();
  };

  if (error) return <ErrorView error={error} />;
  if (!span) {
    const running = row !== undefined && !ENDED.includes(row.state);
    return (
      <Text size="sm" c="var(--muted)" className="charts-none">
        {loading
          ? 'Reading the samples.'
          : running
            ? 'No sample has come yet.'
            : 'This job did not watch the GPUs.'}
      </Text>
    );
  }
  return (
    <div
      className="charts"
      role="group"
      tabIndex={0}
      aria-label="GPU charts. Plus and minus zoom, arrows move, 0 shows the whole time, Shift and arrows move the cursor."
      onKeyDown={onKey}
    >
      <Group gap="xs" wrap="wrap" className="charts-bar">
        {TURNS.map(({ turn: how, sign, label }) => (
          <ActionIcon
            key={how}
            variant="default"
            size="sm"
            aria-label={label}
            title={label}
            disabled={chosen === null && how !== 'in'}
            onClick={() => turn(how)}
          >
            <span aria-hidden>{sign}</span>
          </ActionIcon>
        ))}
        <Text size="xs" className="charts-window">
          {clock(window[0])} to {clock(window[1])}
          {chosen ? ` of ${clock(whole[1])}` : ''}
        </Text>
        <ChartCsv key={`${job}/${attempt}`} session={box.session.id} job={job} attempt={attempt} />
        <ChartMarks marks={marks} bands={bands} />
      </Group>
      <div className="charts-grid">
        {charts.map(({ kind, series, data, ranges }) => (
          <Chart
            key={kind.field}
            kind={kind}
            series={series}
            data={data}
            ranges={ranges}
            limits={limits.get(kind.field) ?? NO_LIMITS}
            bands={bands}
            marks={marks}
            window={window}
            sync={sync}
            onZoom={(from, to) => setChosen(within(whole, from, to))}
            onWhole={() => setChosen(null)}
            onPlot={onPlot(kind.field)}
          />
        ))}
      </div>
    </div>
  );
}

const NO_EVENTS: readonly never[] = [];
const NO_LIMITS: readonly never[] = [];
