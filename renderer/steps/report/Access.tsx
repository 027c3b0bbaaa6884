/** Every user and key that can log in, before the box is handed over. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { CallOutput } from '../../../preload/contract/calls.ts';
import { call } from '../../api.ts';
import { useAction } from '../../components/useAction.ts';
import { GivenKey, givenKey } from './GivenKey.tsx';
import { WORDS } from './words.ts';

type Found = CallOutput<'box.access'>;
const CUSTOMER_WORDS = {
  label: WORDS.customerPrivate,
  help: WORDS.askHelp,
  passphrase: WORDS.customerPassphrase,
};

function Keys({ keys }: { keys: Found['keys'] }) {
  if (!keys) return <Text size="sm">{WORDS.noKeys}</Text>;
  const proven = keys.keyLoginProvenAt ? WORDS.proven : WORDS.notProven;
  const all = [
    { whose: WORDS.engineerKey, key: keys.engineer, state: proven },
    ...keys.customer.map((key) => ({
      whose: WORDS.customerKey,
      key,
      state: key.proof ? WORDS.customerProof[key.proof.how](key.proof.at) : WORDS.customerNotProven,
    })),
  ];
  return (
    <ul className="report-list">
      {all.map(({ whose, key, state }) => (
        <li key={`${whose} ${key.fingerprint}`}>
          <span>{whose}</span>
          <span className="mono">{key.fingerprint}</span>
          <span>{key.comment}</span>
          <span>{state}</span>
        </li>
      ))}
    </ul>
  );
}

/** With the private half a login, without it a question: the two prove different things, and are named differently. */
function Prove({ session, onFound }: { session: string; onFound: (found: Found) => void }) {
  const action = useAction();
  const [path, setPath] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const prove = async () => {
    onFound(await call('box.proveCustomer', { session, key: givenKey(path, passphrase) }));
    setPassphrase('');
  };
  return (
    <Stack gap="xs">
      <GivenKey
        what="privateKey"
        words={CUSTOMER_WORDS}
        path={path}
        passphrase={passphrase}
        onPath={setPath}
        onPassphrase={setPassphrase}
      />
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          loading={action.busy}
          onClick={() => void action.run(prove)}
        >
          {path ? WORDS.login : WORDS.ask}
        </Button>
      </Group>
      {action.error && (
        <Text size="sm" role="alert">
          {action.error.message} {action.error.nextAction}
        </Text>
      )}
    </Stack>
  );
}

export function Access({ session, jobs }: { session: string; jobs: number }) {
  const [found, setFound] = useState<Found | null>(null);
  // Another job may have been a preflight, or have set up keys.
  useEffect(() => void call('box.access', { session }).then(setFound, () => undefined), [session, jobs]);
  if (!found) return null;
  return (
    <section className="part" aria-label={WORDS.access}>
      <span className="part-title">{WORDS.access}</span>
      {found.users.length ? (
        <ul className="report-list">
          {found.users.map(({ name, uid, shell }) => (
            <li key={name}>
              <span className="mono">{name}</span>
              <span>UID {uid}</span>
              <span className="mono">{shell}</span>
            </li>
          ))}
        </ul>
      ) : (
        <Text size="sm">{WORDS.noUsers}</Text>
      )}
      <Keys keys={found.keys} />
      {found.keys && found.keys.customer.length > 0 && <Prove session={session} onFound={setFound} />}
    </section>
  );
}
