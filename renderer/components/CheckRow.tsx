/** One check: name, value, threshold, verdict; it opens to evidence, the threshold's source, the next action, and its attempts. */
import { Box, Button, Group, Text } from '@mantine/core';
import { useId, useState } from 'react';
import type { StandingCheck } from '../../preload/contract/results.ts';
import { call } from '../api.ts';
import { change } from '../stores/desk.ts';
import { attempt } from '../stores/frame.ts';
import { timeOf } from '../words.ts';
import { Attempts } from './Attempts.tsx';
import { CheckHead, Evidence } from './CheckParts.tsx';
import { WaiveDialog } from './WaiveDialog.tsx';

interface Props {
  session: string;
  check: StandingCheck;
  /** It stops everything: it is opened, and cannot be waived. */
  blocker?: boolean;
  /** Runs it again; left out where that cannot be done now. */
  onRerun?: (id: string) => void;
}

function expectationText({ expectation }: StandingCheck): string {
  switch (expectation.kind) {
    case 'required':
      return 'The profile wants it to pass.';
    case 'expected':
      return `The profile expects ${expectation.verdicts.map((v) => v.replace('_', ' ')).join(' or ')}: ${expectation.context}.`;
    case 'informative':
      return `It informs and decides nothing${expectation.why ? `: ${expectation.why}` : ''}.`;
  }
}

function Line({ name, children }: { name: string; children: string | null }) {
  if (children === null || children === '') return null;
  return (
    <>
      <Text component="dt" size="sm" c="dimmed">
        {name}
      </Text>
      <Text component="dd" size="sm" m={0} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {children}
      </Text>
    </>
  );
}

function Details({ session, check, blocker }: { session: string; check: StandingCheck; blocker: boolean }) {
  const { result, waiver, times, attempt: from } = check;
  const again = times > 1 ? `run ${times} times; this is the newest, of attempt ${from}` : null;
  return (
    <>
      <dl className="details">
        <Line name="Why">{result.reason}</Line>
        <Line name="Do now">{result.nextAction}</Line>
        <Line name="Threshold">{result.threshold}</Line>
        <Line name="From">{result.source}</Line>
        <Line name="Counts as">
          {blocker ? 'A blocker: nothing is changed on the box until it is cleared.' : expectationText(check)}
        </Line>
        <Line name="Waived">{waiver && `by ${waiver.name}, ${timeOf(waiver.at)}: ${waiver.reason}`}</Line>
        <Line name="Attempts">{again}</Line>
      </dl>
      {times > 1 && <Attempts session={session} check={result.id} times={times} />}
      <Evidence check={result} />
    </>
  );
}

export function CheckRow({ session, check, blocker = false, onRerun }: Props) {
  const { result, waiver, expectation } = check;
  const [open, setOpen] = useState(blocker);
  const [waiving, setWaiving] = useState(false);
  const body = useId();
  const waivable = result.verdict === 'fail' && expectation.kind !== 'informative' && !blocker && !waiver;
  const takeBack = () => {
    const none = { name: '', reason: '', remove: true };
    void attempt(() => change(call('box.waive', { session, check: result.id, ...none })));
  };
  return (
    <Box className="check" data-check={result.id}>
      <CheckHead
        {...{ open, body }}
        check={result}
        waived={Boolean(waiver)}
        onToggle={() => setOpen(!open)}
      />
      {open && (
        <Box className="check-body" id={body}>
          <Details session={session} check={check} blocker={blocker} />
          <Group gap="xs" mt="xs">
            {onRerun && (
              <Button size="compact-sm" variant="default" onClick={() => onRerun(result.id)}>
                Re-run
              </Button>
            )}
            {waivable && (
              <Button size="compact-sm" variant="default" onClick={() => setWaiving(true)}>
                Waive…
              </Button>
            )}
            {waiver && (
              <Button size="compact-sm" variant="default" onClick={takeBack}>
                Take the waiver back
              </Button>
            )}
          </Group>
        </Box>
      )}
      {waiving && <WaiveDialog session={session} check={result} onClose={() => setWaiving(false)} />}
    </Box>
  );
}
