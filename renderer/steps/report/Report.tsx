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
import { GATE_WORDS } from '../../words.ts';
import type { StepProps } from '../index.ts';
import { Access } from './Access.tsx';
import { HandOver } from './HandOver.tsx';
import { WORDS } from './words.ts';

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
          <dt>{GATE_WORDS[id]}</dt>
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
          {WORDS.open}
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => open(folder)}>
          {WORDS.openFolder}
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
      primary={{ label: WORDS.make, run: make, why: box.jobs.length === 0 ? WORDS.nothingRan : null }}
    >
      <Stack gap="md" pb="md">
        <Text size="sm">{WORDS.about}</Text>
        {made && (
          <section className="part report-made" aria-label={WORDS.made} role="status">
            <Text fw={600}>{WORDS.isThere}</Text>
            <Text size="sm" className="mono report-path">
              {made.html}
            </Text>
            <Opens path={made.html} folder={made.folder} />
          </section>
        )}
        <section className="part" aria-label={WORDS.willSay}>
          <div className="part-head">
            <span className="part-title">{WORDS.willSayOf(box.session.name)}</span>
            <OutcomeWord outcome={outcome} />
            {evidence !== null && evidence !== 'real' && (
              <span className="part-evidence">{WORDS.onEveryPage(evidence)}</span>
            )}
          </div>
          <Verdicts parts={parts} gates={gates} />
          <Reasons decision={decision} />
        </section>
        <Group gap="xs">
          <Text size="sm">
            {WORDS.goesTo} <span className="mono">{folder ?? earlier?.folder ?? WORDS.ownFolder}</span>
          </Text>
          <Button size="compact-sm" variant="default" onClick={() => void action.run(pick)}>
            {WORDS.anotherFolder}
          </Button>
        </Group>
        <Access session={session} jobs={box.jobs.length} />
        <HandOver box={box} folder={folder} action={action} />
        {others.length > 0 && (
          <section aria-label={WORDS.earlier}>
            <Text fw={600} size="sm">
              {WORDS.earlierOf}
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
