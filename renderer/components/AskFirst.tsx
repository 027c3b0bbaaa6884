/**
 * A button that asks first, in a bubble beside it, before it ends what runs. Esc closes the question and ends nothing, also before the focus
 * has come into it.
 */
import { Button, Group, Popover, Text, type PopoverProps } from '@mantine/core';
import type { KeyboardEvent } from 'react';
import { ErrorView } from './ErrorView.tsx';
import type { useAction } from './useAction.ts';

interface Props {
  label: string;
  opened: boolean;
  onChange: (opened: boolean) => void;
  position?: Extract<PopoverProps['position'], string>;
  /** Pixels. */
  width: number;
  question: string;
  /** What it means. */
  text: string;
  /** What the second press does, and is called. */
  confirm: string;
  onConfirm: () => void;
  /** While it is asked for, and why it was refused. */
  action?: Pick<ReturnType<typeof useAction>, 'busy' | 'error'>;
}

export function AskFirst({
  label,
  opened,
  onChange,
  position = 'top-end',
  width,
  question,
  text,
  confirm,
  onConfirm,
  action,
}: Props) {
  const key = (e: KeyboardEvent) => {
    if (e.key === 'Escape') onChange(false);
  };
  return (
    <Popover {...{ opened, onChange, position, width }} shadow="md" trapFocus withArrow>
      <Popover.Target>
        <Button variant="default" onClick={() => onChange(!opened)} onKeyDown={key}>
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="sm" fw={600}>
          {question}
        </Text>
        <Text size="sm" mt={4}>
          {text}
        </Text>
        {action?.error && <ErrorView error={action.error} />}
        <Group gap="xs" mt="sm" justify="flex-end">
          <Button size="compact-sm" variant="default" onClick={() => onChange(false)} data-autofocus>
            Keep it running
          </Button>
          <Button size="compact-sm" variant="default" loading={action?.busy ?? false} onClick={onConfirm}>
            {confirm}
          </Button>
        </Group>
      </Popover.Dropdown>
    </Popover>
  );
}
