/** Who logs in with what. Before Keys: a password, a key file or the agent; after it the key of this box alone. */
import { PasswordInput, SegmentedControl, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { BoxState, LoginChoice } from '../../../preload/contract/calls.ts';
import { AgentField } from '../../components/AgentField.tsx';
import { KeyFile, Passphrase } from '../../components/KeyFile.tsx';

type Kind = 'password' | 'key' | 'agent';

interface Props {
  box: BoxState;
  /** Null while the choice is not complete. */
  onChange: (choice: LoginChoice | null) => void;
}

/** The session's own key: nothing to choose, at most a passphrase to give. */
function OwnKey({ box, onChange }: Props) {
  const { keys } = box.session;
  const [passphrase, setPassphrase] = useState('');
  const locked = keys?.reference.kind === 'file' && keys.reference.encrypted && !box.secrets.passphrase;
  const give = (text: string) => {
    setPassphrase(text);
    onChange({ kind: 'session', ...(text ? { passphrase: text } : {}) });
  };
  return (
    <Stack gap="sm">
      <Text size="sm">
        The app logs in as <b>{box.session.user}</b> with the key of this box:
      </Text>
      <Text size="sm" className="mono">
        {keys?.fingerprint}
      </Text>
      {locked && <Passphrase value={passphrase} onChange={give} />}
    </Stack>
  );
}

/** The key that a flashed system was told of, where nobody has met it yet: it takes no password. A practice box starts from no disk. */
const toldKey = ({ session }: BoxState) =>
  session.path === 'flash' && session.hostKey === null && !session.practice
    ? (session.firstBoot?.key ?? null)
    : null;

/** What is chosen when the form is first drawn. */
export function firstChoice(box: BoxState): LoginChoice | null {
  if (box.session.keys) return { kind: 'session' };
  const key = toldKey(box);
  if (key?.kind === 'file') return { kind: 'key', path: key.path };
  return key?.kind === 'agent' ? { kind: 'agent', fingerprint: key.fingerprint } : null;
}

function FirstLogin({ box, onChange }: Props) {
  const told = toldKey(box);
  const [kind, setKind] = useState<Kind>(
    told?.kind === 'file' ? 'key' : told?.kind === 'agent' ? 'agent' : 'password',
  );
  const [password, setPassword] = useState('');
  const [path, setPath] = useState(told?.kind === 'file' ? told.path : '');
  const [passphrase, setPassphrase] = useState('');
  const [fingerprint, setFingerprint] = useState<string | null>(
    told?.kind === 'agent' ? told.fingerprint : null,
  );
  const tell = (now: Partial<{ kind: Kind; password: string; path: string; passphrase: string }>) => {
    const next = { kind, password, path, passphrase, ...now };
    if (next.kind === 'password') {
      onChange(next.password ? { kind: 'password', password: next.password } : null);
    } else if (next.kind === 'key') {
      const opens = next.passphrase ? { passphrase: next.passphrase } : {};
      onChange(next.path ? { kind: 'key', path: next.path, ...opens } : null);
    } else onChange(fingerprint ? { kind: 'agent', fingerprint } : null);
  };
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label="How the app logs in"
        value={kind}
        onChange={(value) => {
          setKind(value);
          tell({ kind: value });
        }}
        data={[
          { value: 'password', label: 'Password' },
          { value: 'key', label: 'Key file' },
          { value: 'agent', label: 'SSH agent' },
        ]}
      />
      {kind === 'password' && (
        <PasswordInput
          label={`Password of ${box.session.user}`}
          description={
            box.session.live
              ? 'The one that was set on the console of the live system. It is tried once.'
              : 'The one set when the box was installed. It is tried once, and the next steps replace it by a key.'
          }
          value={password}
          autoFocus
          onChange={(e) => {
            setPassword(e.currentTarget.value);
            tell({ password: e.currentTarget.value });
          }}
        />
      )}
      {kind === 'key' && (
        <KeyFile
          path={path}
          passphrase={passphrase}
          onPath={(text) => {
            setPath(text);
            tell({ path: text });
          }}
          onPassphrase={(text) => {
            setPassphrase(text);
            tell({ passphrase: text });
          }}
        />
      )}
      {kind === 'agent' && (
        <AgentField
          value={fingerprint}
          onChange={(chosen) => {
            setFingerprint(chosen);
            onChange(chosen ? { kind: 'agent', fingerprint: chosen } : null);
          }}
        />
      )}
    </Stack>
  );
}

export function LoginForm(props: Props) {
  return props.box.session.keys ? <OwnKey {...props} /> : <FirstLogin {...props} />;
}
