/** The host key of a box that is not known yet: to compare with the box's console, and to confirm once. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { attempt } from '../stores/frame.ts';
import { answer, type Question } from '../stores/desk.ts';
import { Command } from './Command.tsx';

/** sshd names the file of each key by its kind. */
function keyFile(algorithm: string): string {
  const kind = /ed25519|ecdsa|rsa|dsa/.exec(algorithm)?.[0] ?? 'ed25519';
  return `/etc/ssh/ssh_host_${kind}_key.pub`;
}

export function HostKeyDialog({ question }: { question: Extract<Question, { kind: 'hostKey' }> }) {
  const { host, algorithm, fingerprint } = question;
  const give = (value: string | null) => void attempt(() => answer(question, value));
  return (
    <Modal
      opened
      onClose={() => give(null)}
      withCloseButton={false}
      closeOnClickOutside={false}
      title="Is this the box?"
      size="lg"
      centered
    >
      <Stack gap="sm">
        <Text size="sm">
          The box at <b>{host}</b> is not known to this laptop yet. It shows this {algorithm} key:
        </Text>
        <Text className="mono fingerprint">{fingerprint}</Text>
        <Text size="sm">Type this on the box&apos;s console and compare the two:</Text>
        <Command text={`ssh-keygen -lf ${keyFile(algorithm)}`} />
        <Text size="sm" c="dimmed">
          From then on only this key is accepted. If another one ever answers, everything stops.
        </Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={() => give(null)}>
            It differs: stop
          </Button>
          <Button data-autofocus onClick={() => give('yes')}>
            It is the same: go on
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
