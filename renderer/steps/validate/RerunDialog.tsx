/** One check again, of a suite that puts load on the GPUs: what it draws and for how long is agreed to once more. */
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { BoxState } from '../../../preload/contract/calls.ts';
import { SUITE_TITLES } from '../../../preload/contract/suites.ts';
import { useReturnFocus } from '../../components/useReturnFocus.ts';
import { LoadConsent } from './LoadConsent.tsx';
import { useLoad, type LoadForm } from './useLoad.ts';

interface Props {
  box: BoxState;
  suite: string;
  /** The check's title. */
  check: string;
  onRun: (load: LoadForm) => void;
  onClose: () => void;
}

export function RerunDialog({ box, suite, check, onRun, onClose }: Props) {
  const load = useLoad(box, [suite]);
  useReturnFocus(true);
  if (!load) return null;
  return (
    <Modal opened onClose={onClose} title={`Run "${check}" again`} withCloseButton={false} centered size="lg">
      <Stack gap="sm">
        <Text size="sm">
          What the check looks at is made anew: the part of {SUITE_TITLES[suite] ?? suite} that it belongs to
          runs again. The result before is kept.
        </Text>
        <LoadConsent form={load} />
        {load.why !== null && <Text size="sm">{load.why}</Text>}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button disabled={load.why !== null} onClick={() => onRun(load)}>
            {load.label}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
