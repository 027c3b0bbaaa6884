/** A run wants the box rebooted: why, and how long until it happens by itself, since nobody may be looking. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { attempt } from '../stores/frame.ts';
import { answer, type Question } from '../stores/desk.ts';

export function RebootDialog({ question }: { question: Extract<Question, { kind: 'reboot' }> }) {
  const { box, why, seconds } = question;
  const [left, setLeft] = useState(seconds);
  const give = (value: string | null) => void attempt(() => answer(question, value));
  useEffect(() => {
    const end = performance.now() + seconds * 1000;
    const timer = setInterval(() => {
      const now = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      setLeft(now);
      if (now > 0) return;
      clearInterval(timer);
      void attempt(() => answer(question, 'yes'));
    }, 250);
    return () => clearInterval(timer);
  }, [question, seconds]);
  return (
    <Modal
      opened
      onClose={() => give(null)}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      title={`Reboot ${box}`}
      size="lg"
      centered
    >
      <Stack gap="sm">
        <Text size="sm">The run goes on after a reboot: {why}.</Text>
        <Text size="sm">
          The box is away for some minutes; with much memory it takes longer. The app waits for it and goes on
          by itself.
        </Text>
        <Text size="sm" fw={600}>
          Reboots in {left} s.
        </Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={() => give(null)}>
            Not now
          </Button>
          <Button data-autofocus onClick={() => give('yes')}>
            Reboot now
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
