/** The gates of the profile: how each stands, and its suites to be chosen at once. */
import { Button, Text, Title } from '@mantine/core';
import type { Gate } from '../../../preload/contract/parts.ts';
import { SUITE_TITLES } from '../../../preload/contract/suites.ts';
import { OutcomeWord } from '../../components/OutcomeWord.tsx';
import { GATE_WORDS } from '../../words.ts';

interface Props {
  gates: readonly Gate[];
  /** Whether suites can be chosen now. */
  choosable: boolean;
  /** Why a suite cannot be run on this box; null where it can. */
  blocked: (suite: string) => string | null;
  onChoose: (suites: string[]) => void;
}

/** `T1` of `T1 GPU detection`. */
const short = (suite: string): string => SUITE_TITLES[suite]?.split(' ')[0] ?? suite;

export function Gates({ gates, choosable, blocked, onChoose }: Props) {
  const named = gates.filter(({ suites }) => suites.length > 0);
  if (named.length === 0) return null;
  return (
    <section aria-labelledby="validate-gates" className="part">
      <Title order={3} size="h5" id="validate-gates" mb={4}>
        Gates
      </Title>
      <ul className="gates">
        {named.map(({ id, suites, outcome }) => {
          const ready = suites.filter((suite) => blocked(suite) === null);
          const waiting = suites.filter((suite) => !ready.includes(suite));
          return (
            <li key={id}>
              <span className="gate-name">{GATE_WORDS[id]}</span>
              <OutcomeWord outcome={outcome} />
              <Text span size="xs" c="var(--muted)" className="gate-suites">
                {suites.map(short).join(', ')}
                {choosable && waiting.length > 0 && `; not now: ${waiting.map(short).join(', ')}`}
              </Text>
              {choosable && (
                <Button
                  size="compact-xs"
                  variant="default"
                  disabled={ready.length === 0}
                  aria-label={`Choose the suites of ${GATE_WORDS[id]}`}
                  onClick={() => onChoose(ready)}
                >
                  Choose its suites
                </Button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
