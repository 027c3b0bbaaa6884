/** One key out of this laptop's SSH agent. The app offers one key only, so that no box bans the laptop. */
import { Radio, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { CallOutput } from '../../preload/contract/calls.ts';
import type { ErrorReply } from '../../preload/contract/errors.ts';
import { call, replyOf } from '../api.ts';
import { ErrorView } from './ErrorView.tsx';

interface Props {
  value: string | null;
  onChange: (fingerprint: string | null) => void;
}

export function AgentField({ value, onChange }: Props) {
  const [keys, setKeys] = useState<CallOutput<'agent.keys'> | null>(null);
  const [error, setError] = useState<ErrorReply | null>(null);
  useEffect(() => {
    let gone = false;
    call('agent.keys', undefined).then(
      (found) => {
        if (gone) return;
        setKeys(found);
        if (found.length === 1 && found[0]) onChange(found[0].fingerprint);
      },
      (thrown: unknown) => !gone && setError(replyOf(thrown)),
    );
    return () => {
      gone = true;
    };
    // Asked once, when this choice is opened.
  }, []);
  if (error) return <ErrorView error={error} />;
  if (!keys) return <Text size="sm">Asking the agent…</Text>;
  return (
    <Radio.Group label="Key in the agent" value={value} onChange={onChange}>
      <Stack gap="xs" mt={4}>
        {keys.map((key) => (
          <Radio
            key={key.fingerprint}
            value={key.fingerprint}
            label={
              <>
                {key.comment || key.type} <span className="mono">{key.fingerprint}</span>
              </>
            }
          />
        ))}
      </Stack>
    </Radio.Group>
  );
}
