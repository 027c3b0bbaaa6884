/** A secret that main needs now. It goes to main's memory for this session, and nowhere else. */
import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { answer, type Question } from '../stores/desk.ts';
import { attempt } from '../stores/frame.ts';

export function SecretDialog({ question }: { question: Extract<Question, { kind: 'secret' }> }) {
  const isNew = question.secret === 'newSudoPassword';
  const [value, setValue] = useState('');
  const [again, setAgain] = useState('');
  const differs = isNew && again !== '' && again !== value;
  const complete = value !== '' && (!isNew || again === value);
  const give = (given: string | null) => void attempt(() => answer(question, given));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (complete) give(value);
  };
  return (
    <Modal
      opened
      onClose={() => give(null)}
      withCloseButton={false}
      closeOnClickOutside={false}
      title={isNew ? 'A new password is needed' : 'A password is needed'}
      centered
    >
      <form onSubmit={submit}>
        <Stack gap="sm">
          <PasswordInput
            data-autofocus
            label={question.prompt}
            value={value}
            onChange={(e) => setValue(e.currentTarget.value)}
          />
          {isNew && (
            <PasswordInput
              label="The same again"
              value={again}
              error={differs ? 'The two differ.' : undefined}
              onChange={(e) => setAgain(e.currentTarget.value)}
            />
          )}
          <Text size="xs" c="dimmed">
            Kept in memory until the app is closed. Each password is tried once.
          </Text>
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={() => give(null)}>
              Cancel
            </Button>
            <Button type="submit" disabled={!complete}>
              Go on
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
