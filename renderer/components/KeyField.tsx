/** Which key logs in from now on: a new one, a file, one of the agent, or the one that is set up already. */
import { SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { KeyChoice } from '../../preload/contract/calls.ts';
import type { KeysState } from '../../preload/contract/session.ts';
import { AgentField } from './AgentField.tsx';
import { KeyFile } from './KeyFile.tsx';
import { NewSecret } from './NewSecret.tsx';

type Kind = 'present' | 'generate' | 'file' | 'agent';

interface Props {
  present: KeysState | null;
  /** What is chosen when it is first drawn; a new key, or the one that is set up, without it. */
  start?: KeyChoice | null;
  /** Null while the choice is not complete. */
  onChange: (choice: KeyChoice | null) => void;
}

/** The key of the session as a choice: nothing about it changes. */
export function presentChoice({ reference, fingerprint }: KeysState): KeyChoice {
  return reference.kind === 'file' ? { kind: 'file', path: reference.path } : { kind: 'agent', fingerprint };
}

const opens = (passphrase: string) => (passphrase ? { passphrase } : {});

export function KeyField({ present, start = null, onChange }: Props) {
  const [kind, setKind] = useState<Kind>(start?.kind ?? (present ? 'present' : 'generate'));
  const [path, setPath] = useState(start?.kind === 'file' ? start.path : '');
  const [passphrase, setPassphrase] = useState('');
  const [fingerprint, setFingerprint] = useState<string | null>(
    start?.kind === 'agent' ? start.fingerprint : null,
  );
  const ofFile = (at: string, secret: string) =>
    at ? { kind: 'file' as const, path: at, ...opens(secret) } : null;
  const choose = (next: Kind) => {
    setKind(next);
    if (next === 'present') onChange(present && presentChoice(present));
    else if (next === 'generate') onChange({ kind: 'generate' });
    else if (next === 'file') onChange(ofFile(path, passphrase));
    else onChange(fingerprint === null ? null : { kind: 'agent', fingerprint });
  };
  const kinds: { value: Kind; label: string }[] = [
    { value: 'generate', label: 'Make a new key' },
    { value: 'file', label: 'Key file' },
    { value: 'agent', label: 'SSH agent' },
  ];
  if (present) kinds.unshift({ value: 'present', label: 'Keep the key' });
  return (
    <Stack gap="sm">
      <SegmentedControl aria-label="Which key" data={kinds} value={kind} onChange={(v) => choose(v)} />
      {kind === 'present' && (
        <Text size="sm" className="mono">
          {present?.fingerprint}
        </Text>
      )}
      {kind === 'generate' && (
        <NewSecret
          label="Passphrase (optional)"
          description="An Ed25519 key of this laptop for this box. Without a passphrase the app never has to ask."
          onChange={(secret, settled) => onChange(settled ? { kind: 'generate', ...opens(secret) } : null)}
        />
      )}
      {kind === 'file' && (
        <KeyFile
          path={path}
          passphrase={passphrase}
          onPath={(text) => {
            setPath(text);
            onChange(ofFile(text, passphrase));
          }}
          onPassphrase={(text) => {
            setPassphrase(text);
            onChange(ofFile(path, text));
          }}
        />
      )}
      {kind === 'agent' && (
        <AgentField
          value={fingerprint}
          onChange={(chosen) => {
            setFingerprint(chosen);
            onChange(chosen === null ? null : { kind: 'agent', fingerprint: chosen });
          }}
        />
      )}
    </Stack>
  );
}
