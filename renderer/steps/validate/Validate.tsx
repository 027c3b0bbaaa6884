/** Validate: suites to choose, GPUs watched live while they run, then how each stands. */
import { Checkbox, Group, NumberInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { BoxState } from '../../../preload/contract/calls.ts';
import type { Part } from '../../../preload/contract/standing.ts';
import { stepOfJob } from '../../../preload/contract/steps.ts';
import { suiteBlocked, suiteHere, WEEKLY_SUITE, type SuiteHere } from '../../../preload/contract/suites.ts';
import { call } from '../../api.ts';
import { CancelJob } from '../../components/CancelJob.tsx';
import { GpuCharts } from '../../components/GpuCharts.tsx';
import { RunBanner } from '../../components/RunBanner.tsx';
import { PartCard } from '../../components/PartCard.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { plural } from '../../numbers.ts';
import { phasesOf, type PhaseOf } from '../../phases.ts';
import { told } from '../../told.ts';
import { change } from '../../stores/desk.ts';
import { timeOf } from '../../words.ts';
import type { StepProps } from '../index.ts';
import { Gates } from './Gates.tsx';
import { LoadConsent } from './LoadConsent.tsx';
import { RerunDialog } from './RerunDialog.tsx';
import { isNumber, loadOrder, useLoad, type LoadForm, type Typed } from './useLoad.ts';

/** What only looks at the machine; the others are ticked by whoever wants them. */
const CHOSEN_AT_FIRST: readonly string[] = ['gpu-detection'];

interface TelemetryProps {
  seconds: Typed;
  hz: Typed;
  onSeconds: (n: Typed) => void;
  onHz: (n: Typed) => void;
}

function Telemetry({ seconds, hz, onSeconds, onHz }: TelemetryProps) {
  return (
    <Group gap="md" align="flex-end">
      <NumberInput
        w={280}
        label="Watch the GPUs after the last check"
        suffix=" s"
        min={0}
        max={3600}
        allowDecimal={false}
        value={seconds}
        onChange={onSeconds}
      />
      <NumberInput
        w={170}
        label="Samples a second"
        min={0.1}
        max={10}
        step={0.5}
        decimalScale={1}
        value={hz}
        onChange={onHz}
      />
    </Group>
  );
}

interface CardProps {
  box: BoxState;
  part: Part;
  /** Why it cannot be run on this box; null where it can. */
  blocked: string | null;
  choosable: boolean;
  chosen: boolean;
  onChoose: (on: boolean) => void;
  /** Runs one of its checks again; left out where that cannot be done now. */
  onRerun: ((check: string) => void) | undefined;
}

/** Its checks cannot be run one by one: a reboot lies between them. */
const WHOLE_ONLY = 'integration';

/** The newest job of a suite that has the GPUs watched, if one has. */
const watched = (phases: readonly PhaseOf[]) =>
  phases.findLast(({ row }) => row?.spec.params['telemetry'])?.row ?? null;

function SuiteCard({ box, part, blocked, choosable, chosen, onChoose, onRerun }: CardProps) {
  const here = suiteHere(part.id);
  const phases = phasesOf(box, { suite: part.id });
  const row = watched(phases);
  return (
    <PartCard
      part={part}
      phases={phases}
      session={box.session.id}
      nominalSeconds={here?.nominalSeconds ?? null}
      waitsFor={blocked}
      note={
        part.id === WEEKLY_SUITE && box.standing.weeklyDueAt !== null
          ? dueText(box.standing.weeklyDueAt)
          : null
      }
      {...(onRerun ? { onRerun } : {})}
      choice={
        choosable && blocked === null ? (
          <Checkbox
            className="part-title"
            label={part.title}
            description={here ? describe(here) : null}
            checked={chosen}
            onChange={(e) => onChoose(e.currentTarget.checked)}
          />
        ) : undefined
      }
    >
      {row && (
        <div className="part-charts">
          <GpuCharts key={`${row.job}/${row.attempt}`} box={box} job={row.job} attempt={row.attempt} />
        </div>
      )}
    </PartCard>
  );
}

/** The suite is to be run every week. */
const dueText = (at: string) =>
  Date.parse(at) <= Date.now()
    ? `Due since ${timeOf(at)}: every week.`
    : `Due again ${timeOf(at)}: every week.`;

/** How long it takes, and what else is to be known before it is started. */
function describe({ nominalSeconds, warning }: SuiteHere): string {
  const minutes = Math.round(nominalSeconds / 60);
  const time = `About ${minutes < 120 ? plural(minutes, 'minute') : plural(Math.round(minutes / 60), 'hour')}.`;
  return warning ? `${time} ${warning}` : time;
}

export function Validate({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const { suites, layers, frameworks, gates } = box.standing;
  const { run } = box.session;
  const [wanted, setWanted] = useState<readonly string[]>(CHOSEN_AT_FIRST);
  const [seconds, setSeconds] = useState<Typed>(20);
  const [hz, setHz] = useState<Typed>(1);
  const activeRow = box.jobs.find((r) => r.job === box.active?.job && r.attempt === box.active.attempt);
  const own = run?.command === 'validate';
  const running = activeRow ? stepOfJob(activeRow) === 'validate' : own && box.following;
  const interrupted = own && box.resumable && !box.following;
  const busy = box.active && !running ? `"${activeRow?.title ?? 'Another job'}" is on its way.` : null;
  const choosable = !running && !interrupted;
  const blocked = (id: string) => suiteBlocked(id, layers, box.session.practice, frameworks);
  const chosen = wanted.filter((id) => blocked(id) === null);

  const load = useLoad(box, chosen);

  const start = async () => {
    if (load?.changed) await change(call('box.supply', { session, ...load.changed }));
    return call('box.validate', {
      session,
      suites: [...chosen],
      watchSeconds: isNumber(seconds) ? seconds : 0,
      hz: isNumber(hz) ? hz : 1,
      ...loadOrder(load),
    });
  };
  const again = async (suite: string, check: string, agreed: LoadForm | null) => {
    if (agreed?.changed) await change(call('box.supply', { session, ...agreed.changed }));
    const order = { session, suites: [suite], checks: [check], watchSeconds: 0, hz: isNumber(hz) ? hz : 1 };
    return call('box.validate', { ...order, ...loadOrder(agreed) });
  };
  const [asked, setAsked] = useState<{ suite: string; check: string } | null>(null);
  const rerun = (suite: string) => (check: string) => {
    if (suiteHere(suite)?.load) setAsked({ suite, check });
    else void action.run(() => again(suite, check, null));
  };
  // A practice box has whole suites only.
  const rerunnable = choosable && busy === null && !box.session.practice;
  const titleOf = (check: string) =>
    suites.flatMap((p) => p.checks).find((c) => c.result.id === check)?.result.title ?? check;
  const complete = isNumber(seconds) && isNumber(hz);
  const lacks = chosen.length === 0 ? 'Choose a suite.' : complete ? null : 'Enter both numbers.';
  const primary = interrupted
    ? { label: 'Resume', run: () => call('box.resume', { session }) }
    : { label: load?.label ?? 'Validate', run: start, why: busy ?? lacks ?? load?.why ?? null };
  return (
    <StepFrame
      box={box}
      id="validate"
      action={told(action, box)}
      actions={box.active && own ? <CancelJob box={box} /> : null}
      {...(running && box.following ? {} : { primary })}
    >
      <RunBanner box={box} />
      <Stack gap="sm" pb="md">
        {choosable && <Telemetry seconds={seconds} hz={hz} onSeconds={setSeconds} onHz={setHz} />}
        {suites.length === 0 && (
          <Text size="sm" c="var(--muted)">
            The profile names no suite. Preflight reads the profile; look at the box there first.
          </Text>
        )}
        <Gates gates={gates} choosable={choosable} blocked={blocked} onChoose={setWanted} />
        <Stack gap="xs" role="group" aria-label="Suites">
          {suites.map((part) => (
            <SuiteCard
              key={part.id}
              box={box}
              part={part}
              blocked={blocked(part.id)}
              choosable={choosable}
              chosen={chosen.includes(part.id)}
              onRerun={
                rerunnable && blocked(part.id) === null && part.id !== WHOLE_ONLY ? rerun(part.id) : undefined
              }
              onChoose={(on) =>
                setWanted([...wanted.filter((id) => id !== part.id), ...(on ? [part.id] : [])])
              }
            />
          ))}
        </Stack>
        {choosable && load && <LoadConsent form={load} />}
        {asked && (
          <RerunDialog
            box={box}
            suite={asked.suite}
            check={titleOf(asked.check)}
            onClose={() => setAsked(null)}
            onRun={(agreed) => {
              setAsked(null);
              void action.run(() => again(asked.suite, asked.check, agreed));
            }}
          />
        )}
      </Stack>
    </StepFrame>
  );
}
