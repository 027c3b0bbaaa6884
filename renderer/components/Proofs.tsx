/** What was proven by fresh logins, before anything forbids passwords, and which keys log in from now on. */
import { Text } from '@mantine/core';
import type { KeysState } from '../../preload/contract/session.ts';
import { Verdict } from './Verdict.tsx';
import { plural } from '../numbers.ts';
import { timeOf } from '../words.ts';

function Proof({ name, at, without }: { name: string; at: string | null; without: string }) {
  return (
    <>
      <dt>
        <Text size="sm" c="dimmed">
          {name}
        </Text>
      </dt>
      <dd style={{ margin: 0 }}>
        <Verdict verdict={at ? 'pass' : 'not_run'} />{' '}
        <Text size="sm" span>
          {at ? `proven ${timeOf(at)}` : without}
        </Text>
      </dd>
    </>
  );
}

function Row({ name, children }: { name: string; children: string }) {
  return (
    <>
      <dt>
        <Text size="sm" c="dimmed">
          {name}
        </Text>
      </dt>
      <dd style={{ margin: 0 }}>
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {children}
        </Text>
      </dd>
    </>
  );
}

export function Proofs({ keys, user }: { keys: KeysState; user: string }) {
  const { reference, fingerprint, customerKeys, adminUid, uidDeviation } = keys;
  const kept = reference.kind === 'file' ? reference.path : 'SSH agent of this laptop';
  const locked = reference.kind === 'file' && reference.encrypted ? ', with a passphrase' : '';
  return (
    <dl className="details">
      <Proof name="Login with the key alone" at={keys.keyLoginProvenAt} without="not proven" />
      <Proof
        name="sudo password"
        at={keys.sudoProvenAt}
        without="not proven: sudo did not ask for it. Hardening takes such rules away; then it is asked for again."
      />
      <Row name="Key">{fingerprint}</Row>
      <Row name="Kept in">{`${kept}${locked}`}</Row>
      <Row name="Customer's keys">{plural(customerKeys.length, 'key')}</Row>
      <Row name="User">{`${user}, UID ${adminUid}`}</Row>
      {uidDeviation !== null && <Row name="Deviation">{uidDeviation}</Row>}
    </dl>
  );
}
