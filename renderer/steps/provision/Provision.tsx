/** Provision: a plan first, then the layers as they go, then how they stand; what was interrupted is resumed. */
import { Button, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { BoxState } from '../../../preload/contract/calls.ts';
import { LAYERS, type Part } from '../../../preload/contract/standing.ts';
import { stepOfJob } from '../../../preload/contract/steps.ts';
import { call } from '../../api.ts';
import { CancelJob } from '../../components/CancelJob.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { useNow } from '../../components/useNow.ts';
import { clock } from '../../numbers.ts';
import { told } from '../../told.ts';
import type { StepProps } from '../index.ts';
import { Layers } from './Layers.tsx';
import { PlanView } from './PlanView.tsx';
import { usePlan } from './usePlan.ts';

const passed = ({ outcome }: Part) => outcome === 'passed' || outcome === 'passed_with_deviations';
const numbers = (parts: readonly Part[]) => parts.flatMap((p) => p.layer ?? []);
const named = (layers: readonly number[]) => layers.map((l) => `L${l}`).join(', ');

/** Layers that are not healthy yet; all of them where all are. */
const toDo = ({ standing: { layers } }: BoxState) => {
  const open = layers.filter((l) => !passed(l));
  return numbers(open.length ? open : layers);
};

function Elapsed({ box }: { box: BoxState }) {
  const run = box.session.run;
  const now = useNow(box.active !== null);
  // A run that was interrupted has no duration: nobody knows how long it stood still.
  if (!run || (run.endedAt === null && !box.active)) return null;
  const end = run.endedAt === null ? now : Date.parse(run.endedAt);
  const nominal = LAYERS.filter((l) => run.phases.some((p) => p.layer === l.layer)).reduce(
    (sum, l) => sum + (l.nominalSeconds ?? 0),
    0,
  );
  return (
    <Text size="sm" className="part-time">
      {clock((end - Date.parse(run.startedAt)) / 1000)}
      {nominal > 0 && ` of ~${Math.round(nominal / 60)} min`}
    </Text>
  );
}

export function Provision({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const { layers } = box.standing;
  const { run } = box.session;
  const activeRow = box.jobs.find((r) => r.job === box.active?.job && r.attempt === box.active.attempt);
  const own = run?.command === 'provision' || run?.command === 'check';
  const running = activeRow ? stepOfJob(activeRow) === 'provision' : own && box.following;
  const interrupted = own && box.resumable && !box.following;
  const begun = layers.some((l) => l.attempts > 0);

  const [planning, setPlanning] = useState(false);
  const [chosen, setChosen] = useState(() => toDo(box));
  const [bundle, setBundle] = useState('');
  const plans = planning || !(begun || running || interrupted);
  const plan = usePlan(session, plans ? chosen : [], bundle, box.standing.preflight.outcome);
  useEffect(() => {
    void call('box.bundle', { session })
      .then((last) => setBundle((now) => now || (last ?? '')))
      .catch(() => undefined);
  }, [session]);
  useEffect(() => {
    if (running) setPlanning(false);
  }, [running]);

  const planAgain = () => {
    setChosen(toDo(box));
    setPlanning(true);
  };
  const busy = box.active && !running ? `"${activeRow?.title ?? 'Another job'}" is on its way.` : null;
  const start = () => call('box.provision', { session, layers: chosen, bundle: bundle.trim() });
  const frame = { box, id: 'provision' as const, action: told(action, box) };

  if (running && box.following) {
    return (
      <StepFrame {...frame} aside={<Elapsed box={box} />} actions={<CancelJob box={box} />}>
        <Layers box={box} />
      </StepFrame>
    );
  }
  if (plans) {
    const lacks = chosen.length === 0 ? 'Choose a layer.' : bundle.trim() === '' ? 'Choose a bundle.' : null;
    const actions = begun ? (
      <Button variant="subtle" onClick={() => setPlanning(false)}>
        Back to the layers
      </Button>
    ) : null;
    const primary = {
      label: chosen.length ? `Provision ${named(chosen)}` : 'Provision',
      run: start,
      disabled: plan.run === null || plan.asking,
      why: busy ?? lacks,
    };
    return (
      <StepFrame {...frame} primary={primary} actions={actions}>
        <PlanView
          box={box}
          layers={layers}
          chosen={chosen}
          onChoose={setChosen}
          bundle={bundle}
          onBundle={setBundle}
          plan={plan}
        />
      </StepFrame>
    );
  }
  if (interrupted || running) {
    const actions = box.active ? (
      <CancelJob box={box} />
    ) : (
      <Button variant="default" onClick={planAgain}>
        Plan anew…
      </Button>
    );
    const primary = { label: 'Resume', run: () => call('box.resume', { session }) };
    return (
      <StepFrame {...frame} primary={primary} actions={actions} aside={<Elapsed box={box} />}>
        <Layers box={box} />
      </StepFrame>
    );
  }
  const healthy = layers.every(passed);
  const check = () => call('box.check', { session, layers: numbers(layers.filter((l) => l.attempts > 0)) });
  const checkAgain = (
    <Button
      variant="default"
      disabled={busy !== null}
      title={busy ?? 'Runs the health checks and changes nothing'}
      onClick={() => void action.run(check)}
    >
      Check again
    </Button>
  );
  const again = (
    <Button variant="default" disabled={busy !== null} onClick={planAgain}>
      Provision again…
    </Button>
  );
  return (
    <StepFrame
      {...frame}
      actions={
        <>
          {checkAgain}
          {healthy && again}
        </>
      }
      {...(healthy ? {} : { primary: { label: 'Plan the rest…', run: async () => planAgain(), why: busy } })}
    >
      <Layers box={box} />
    </StepFrame>
  );
}
