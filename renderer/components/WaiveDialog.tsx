/** Accepting a fail: it keeps its verdict, and stands in the report with name and reason. */
import { Button, Group, Modal, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { CheckResult } from '../../preload/contract/events.ts';
import { call } from '../api.ts';
import { change } from '../stores/desk.ts';
import { ErrorView } from './ErrorView.tsx';
import { useAction } from './useAction.ts';
import { useReturnFocus } from './useReturnFocus.ts';

interface Props {
  session: string;
  check: CheckResult;
  onClose: () => void;
}

export function WaiveDialog({ session, check, onClose }: Props) {
  const action = useAction();
  useReturnFocus(true);
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const complete = name.trim() !== '' && reason.trim() !== '';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const input = { session, check: check.id, name: name.trim(), reason: reason.trim(), remove: false };
    if (complete && (await action.run(() => change(call('box.waive', input))))) onClose();
  };
  return (
    <Modal opened onClose={onClose} title={`Waive "${check.title}"`} withCloseButton={false} centered>
      <form onSubmit={(e) => void submit(e)}>
        <Stack gap="sm">
          <Text size="sm">
            The check stays failed. It counts as a deviation and stands on page one of the report with this
            name and reason.
          </Text>
          {action.error && <ErrorView error={action.error} onClose={action.clear} />}
          <TextInput
            label="Your name"
            data-autofocus
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          <Textarea
            label="Reason"
            autosize
            minRows={2}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
          />
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={action.busy} disabled={!complete}>
              Waive
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
