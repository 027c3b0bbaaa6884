/** A button that asks first, in a bubble beside it. Esc closes the question and does nothing, also before the focus has come into it. */
import { Button, Popover, type PopoverProps } from '@mantine/core';
import type { KeyboardEvent, ReactNode } from 'react';

interface Props {
  label: string;
  opened: boolean;
  onChange: (opened: boolean) => void;
  position: PopoverProps['position'];
  /** Pixels. */
  width: number;
  children: ReactNode;
}

export function AskFirst({ label, opened, onChange, position, width, children }: Props) {
  const key = (e: KeyboardEvent) => {
    if (e.key === 'Escape') onChange(false);
  };
  return (
    <Popover
      {...{ opened, onChange, width }}
      position={position ?? 'top-end'}
      shadow="md"
      trapFocus
      withArrow
    >
      <Popover.Target>
        <Button variant="default" onClick={() => onChange(!opened)} onKeyDown={key}>
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>{children}</Popover.Dropdown>
    </Popover>
  );
}
