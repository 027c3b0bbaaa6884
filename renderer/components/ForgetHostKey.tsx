/** Forgetting the pinned host key: right after the box was installed anew, wrong in every other case. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { BoxState } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { change, showStep } from '../stores/desk.ts';
import { closeDialog } from '../stores/frame.ts';
import { ErrorView } from './ErrorView.tsx';
import { useAction } from './useAction.ts';

export function ForgetHostKey({ box }: { box: BoxState }) {
  const action = useAction();
  const { id, name, hostKey } = box.session;
  const forget = async () => {
    const done = await action.run(() => change(call('box.forgetHostKey', { session: id })));
    if (!done) return;
    closeDialog();
    showStep('connect');
  };
  return (
    <Modal
      opened
      onClose={closeDialog}
      title={`Forget the host key of ${name}`}
      withCloseButton={false}
      size="lg"
      centered
    >
      <Stack gap="sm">
        {action.error && <ErrorView error={action.error} onClose={action.clear} />}
        <Text size="sm">The key that is pinned now:</Text>
        <Text className="mono fingerprint">{hostKey?.fingerprint}</Text>
        <Text size="sm">
          Do this only when the box was installed or flashed anew since then. The next login shows the new
          key, to compare with the box&apos;s console.
        </Text>
        <Text size="sm">
          If nobody changed the box, another machine answers at its address, or somebody is in between: leave
          the key, and find out which.
        </Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" data-autofocus onClick={closeDialog}>
            Keep it
          </Button>
          <Button loading={action.busy} onClick={() => void forget()}>
            The box was installed anew: forget it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
