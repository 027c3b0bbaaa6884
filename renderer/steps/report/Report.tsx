/** Report: what it will say, where it is written, and those there are already. Made from the journal, with the box off. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import type { CallOutput } from '../../../preload/contract/calls.ts';
import type { Gate, Part } from '../../../preload/contract/parts.ts';
import { call } from '../../api.ts';
import { Outcome } from '../../components/Outcome.tsx';
import { OutcomeWord } from '../../components/OutcomeWord.tsx';
import { Reasons } from '../../components/Reasons.tsx';
import { StepFrame } from '../../components/StepFrame.tsx';
import { useAction } from '../../components/useAction.ts';
import { countedParts } from '../../../preload/contract/parts.ts';
import type { StepProps } from '../index.ts';
import { Access } from './Access.tsx';
import { HandOver } from './HandOver.tsx';

const GATE_TITLES: Record<Gate['id'], string> = { ship: 'Ready to ship', production: 'Ready for production' };

function Verdicts({ parts, gates }: { parts: readonly Part[]; gates: readonly Gate[] }) {
  return (
    <dl className="report-facts">
      {parts.map((part) => (
        <div key={part.id} className="report-fact">
          <dt>{part.title}</dt>
          <dd>
            <Outcome part={part} />
          </dd>
        </div>
      ))}
      {gates.map(({ id, outcome }) => (
        <div key={id} className="report-fact">
          <dt>{GATE_TITLES[id]}</dt>
          <dd>
            <OutcomeWord outcome={outcome} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Opens({ path, folder }: { path: string; folder: string }) {
  const action = useAction();
  const open = (what: string) => void action.run(() => call('open.path', { path: what }));
  return (
    <>
      <Group gap="xs">
        <Button size="compact-sm" variant="default" onClick={() => open(path)}>
          Open
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => open(folder)}>
          Open folder
        </Button>
      </Group>
      {action.error && (
        <Text size="sm" role="alert">
          {action.error.message} {action.error.nextAction}
        </Text>
      )}
    </>
  );
}

type Made = CallOutput<'box.report'>;
type Earlier = CallOutput<'box.reports'>;

export function Report({ box }: StepProps) {
  const action = useAction();
  const session = box.session.id;
  const [folder, setFolder] = useState<string | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  const [earlier, setEarlier] = useState<Earlier | null>(null);
  const look = useCallback(
    () => call('box.reports', { session }).then(setEarlier, () => undefined),
    [session],
  );
  useEffect(() => void look(), [look]);

  const make = async () => {
    setMade(await call('box.report', { session, folder }));
    await look();
  };
  const pick = async () => {
    const picked = await call('pick.folder', { what: 'report' });
    if (picked !== null) setFolder(picked);
  };
  const { outcome, decision, preflight, keys, layers, suites, gates, evidence } = box.standing;
  const ship = gates.find((g) => g.id === 'ship')?.suites ?? [];
  const parts = countedParts([preflight, keys, ...layers, ...suites], ship);
  const others = earlier?.files.filter((f) => f.html !== made?.html) ?? [];
  return (
    <StepFrame
      box={box}
      id="report"
      action={action}
      primary={{ label: 'Make report', run: make, why: box.jobs.length === 0 ? 'Nothing ran yet.' : null }}
    >
      <Stack gap="md" pb="md">
        <Text size="sm">
          The report is made from the journal on this laptop; the box may be off. It is one HTML file that
          reads and prints without a network, and a JSON file with the same content that can be checked.
        </Text>
        {made && (
          <section className="part report-made" aria-label="The report that was made" role="status">
            <Text fw={600}>The report is there.</Text>
            <Text size="sm" className="mono report-path">
              {made.html}
            </Text>
            <Opens path={made.html} folder={made.folder} />
          </section>
        )}
        <section className="part" aria-label="What it will say">
          <div className="part-head">
            <span className="part-title">What it will say of {box.session.name}</span>
            <OutcomeWord outcome={outcome} />
            {evidence !== null && evidence !== 'real' && (
              <span className="part-evidence">{evidence}, on every page</span>
            )}
          </div>
          <Verdicts parts={parts} gates={gates} />
          <Reasons decision={decision} />
        </section>
        <Group gap="xs">
          <Text size="sm">
            Goes to{' '}
            <span className="mono">{folder ?? earlier?.folder ?? 'the app’s folder for reports'}</span>
          </Text>
          <Button size="compact-sm" variant="default" onClick={() => void action.run(pick)}>
            Another folder…
          </Button>
        </Group>
        <Access session={session} jobs={box.jobs.length} />
        <HandOver box={box} folder={folder} action={action} />
        {others.length > 0 && (
          <section aria-label="Earlier reports">
            <Text fw={600} size="sm">
              Earlier reports of this box
            </Text>
            <ul className="report-list">
              {others.map(({ html, made: at }) => (
                <li key={html}>
                  <span>{at}</span>
                  <Opens path={html} folder={earlier?.folder ?? html} />
                </li>
              ))}
            </ul>
          </section>
        )}
      </Stack>
    </StepFrame>
  );
}
