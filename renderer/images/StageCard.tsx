/** A stage of a build: how it stands, how long it took beside the nominal time, its checks, its log, and why it failed. */
import { Alert, Button, Group, Text } from '@mantine/core';
import { useId, useState, type ReactNode } from 'react';
import { STAGE_TABLE, type ImageStage } from '../../preload/contract/image-build.ts';
import type { BuildRun, StageRun } from '../../preload/contract/image-desk.ts';
import { LAPTOP } from '../../preload/contract/job.ts';
import type { JobView } from '../../preload/contract/reduce.ts';
import { ErrorView } from '../components/ErrorView.tsx';
import { EventList } from '../components/EventList.tsx';
import { JobProgress } from '../components/JobProgress.tsx';
import { OutcomeWord } from '../components/OutcomeWord.tsx';
import { TimeTrack } from '../components/TimeTrack.tsx';
import { useJob } from '../components/useJob.ts';
import { clock, plural } from '../numbers.ts';
import type { JobMirror } from '../stores/desk.ts';
import { showBuild, useImages } from '../stores/images.ts';
import { timeOf } from '../words.ts';
import { StageCheck } from './StageCheck.tsx';
import { STAGE_LOOKS, stageState, type StageState } from './words.ts';

interface Props {
  id: ImageStage;
  build: BuildRun;
  /** The laptop's clock, in ms. */
  now: number;
  /** Below all else: the files of P6. */
  children?: ReactNode;
}

const FAILED: readonly string[] = ['fail', 'error'];
const NOT_RUN: readonly string[] = ['not_run', 'not_supported'];

function summary({ checks }: JobView): string {
  const count = (verdicts: readonly string[]) => checks.filter((c) => verdicts.includes(c.verdict)).length;
  const [failed, notRun] = [count(FAILED), count(NOT_RUN)];
  const passed = checks.length - failed - notRun;
  const say = (n: number, word: string) => (n > 0 ? [`${n} ${word}`] : []);
  return [...say(failed, 'failed'), ...say(passed, 'passed'), ...say(notRun, 'not run')].join(', ');
}

/** The newest line that a program of the stage printed; empty before the first. */
function lastLine({ events }: JobMirror): string {
  const last = events.findLast((e) => e.known && e.kind === 'log');
  return last?.known && last.kind === 'log' ? last.body.text.trimEnd() : '';
}

function Cached({ run, build }: { run: StageRun; build: BuildRun }) {
  const builds = useImages((s) => s.images?.builds);
  const { cache } = run;
  if (!cache) return null;
  const maker = builds?.find((one) => one.build === cache.build);
  const took = cache.seconds > 0 ? ` in ${clock(cache.seconds)}` : '';
  if (cache.build === build.build)
    return <Text size="sm">Not run again: this build made it from the same inputs{took}.</Text>;
  return (
    <Group gap="xs">
      <Text size="sm">
        Not run: {maker ? `the build of ${timeOf(maker.createdAt)}` : 'an earlier build'} made it from the
        same inputs{took}.
      </Text>
      {maker && (
        <Button size="compact-xs" variant="default" onClick={() => showBuild(maker.build)}>
          Open that build
        </Button>
      )}
    </Group>
  );
}

function Head({
  id,
  run,
  state,
  now,
}: {
  id: ImageStage;
  run: StageRun | null;
  state: StageState;
  now: number;
}) {
  const { title, nominalSeconds } = STAGE_TABLE[id];
  const { icon, word, tone } = STAGE_LOOKS[state];
  const running = state === 'running' && run !== null;
  const seconds = running
    ? Math.max(0, (now - Date.parse(run.createdAt)) / 1000)
    : state === 'cached'
      ? null
      : (run?.seconds ?? null);
  return (
    <div className="part-head">
      <span className="part-title">
        {id} {title}
      </span>
      {state === 'passed' && run?.outcome ? (
        <OutcomeWord outcome={run.outcome} />
      ) : (
        <span className="verdict image-tone" data-tone={tone}>
          <span aria-hidden className="verdict-icon">
            {icon}
          </span>
          {word}
        </span>
      )}
      {run && run.attempt > 1 && state !== 'cached' && (
        <Text size="xs" span c="var(--muted)">
          attempt {run.attempt}
        </Text>
      )}
      {run?.evidence && run.evidence !== 'real' && <span className="part-evidence">{run.evidence}</span>}
      <span className="part-space" />
      {running && <TimeTrack seconds={seconds ?? 0} nominal={nominalSeconds} />}
      <Text size="sm" span className="part-time">
        {seconds === null
          ? `nominal ${clock(nominalSeconds)}`
          : `${clock(seconds)} of ~${clock(nominalSeconds)}`}
      </Text>
    </div>
  );
}

export function StageCard({ id, build, now, children }: Props) {
  const run = build.stages.find((one) => one.stage === id) ?? null;
  const mirror = useJob(LAPTOP, run);
  const [showsChecks, setShowsChecks] = useState<boolean | null>(null);
  const [showsLog, setShowsLog] = useState(false);
  const [checksId, logId] = [useId(), useId()];
  const state = stageState(run, build.state === 'running');
  const { title } = STAGE_TABLE[id];
  const checks = mirror?.view.checks ?? [];
  // What stopped the stage is open before anybody asks.
  const checksOpen = showsChecks ?? checks.some((c) => FAILED.includes(c.verdict));
  const ordered = [
    ...checks.filter((c) => FAILED.includes(c.verdict)),
    ...checks.filter((c) => !FAILED.includes(c.verdict)),
  ];
  return (
    <section
      className="part"
      data-part={id}
      data-state={state}
      data-running={state === 'running'}
      aria-label={`${id} ${title}`}
    >
      <Head id={id} run={run} state={state} now={now} />
      {run && <Cached run={run} build={build} />}
      {state === 'running' && mirror && (
        <>
          <JobProgress mirror={mirror} />
          <p className="image-last mono" title={lastLine(mirror)}>
            {lastLine(mirror)}
          </p>
        </>
      )}
      {run?.error && (
        <div className="image-error">
          <ErrorView error={run.error} />
        </div>
      )}
      {state === 'cancelled' && (
        <Alert color="gray" variant="light" py="xs" mt={4}>
          It was stopped; the same build goes on with this stage.
        </Alert>
      )}
      {run && state !== 'cached' && (
        <Group gap="xs" mt={4}>
          {checks.length > 0 && (
            <Button
              size="compact-xs"
              variant="default"
              aria-expanded={checksOpen}
              aria-controls={checksId}
              aria-label={`${checksOpen ? 'Hide' : 'Show'} ${plural(checks.length, 'check')} of ${id}`}
              onClick={() => setShowsChecks(!checksOpen)}
            >
              {checksOpen ? 'Hide' : 'Show'} {plural(checks.length, 'check')}
            </Button>
          )}
          <Button
            size="compact-xs"
            variant="default"
            aria-expanded={showsLog}
            aria-controls={logId}
            aria-label={`${showsLog ? 'Hide' : 'Show'} log of ${id}`}
            onClick={() => setShowsLog(!showsLog)}
          >
            {showsLog ? 'Hide' : 'Show'} log
          </Button>
          {mirror && checks.length > 0 && (
            <Text size="xs" c="var(--muted)">
              {summary(mirror.view)}
            </Text>
          )}
        </Group>
      )}
      <div id={checksId} className="image-checks" hidden={!checksOpen}>
        {checksOpen && ordered.map((check) => <StageCheck key={check.id} check={check} />)}
      </div>
      <div id={logId} className="image-log" hidden={!showsLog}>
        {showsLog && mirror && <EventList events={mirror.events} label={`Log of ${id}`} />}
      </div>
      {children}
    </section>
  );
}
