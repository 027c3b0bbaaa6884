/** An error as a person needs it: what happened, what to do now; the detail folded; the whole to copy for support. */
import { Alert, Button, Code, Collapse, Group, Text } from '@mantine/core';
import { useState } from 'react';
import type { ErrorReply } from '../../preload/contract/errors.ts';

export function ErrorView({ error, onClose }: { error: ErrorReply; onClose?: () => void }) {
  const [open, setOpen] = useState(false);
  const copy = () =>
    void navigator.clipboard.writeText(
      [`${error.code}: ${error.message}`, error.nextAction, error.detail ?? ''].join('\n'),
    );
  return (
    <Alert
      color="red"
      variant="outline"
      title={error.message}
      role="alert"
      classNames={{ body: 'alert-inside', message: 'alert-inside' }}
      withCloseButton={onClose !== undefined}
      onClose={onClose ?? (() => undefined)}
      closeButtonLabel="Dismiss"
    >
      <Text size="sm">{error.nextAction}</Text>
      <Group gap="xs" mt="xs">
        {error.detail && (
          <Button size="compact-xs" variant="default" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Hide detail' : 'Detail'}
          </Button>
        )}
        <Button size="compact-xs" variant="default" onClick={copy}>
          Copy for support
        </Button>
      </Group>
      <Collapse expanded={open}>
        <Code block mt="xs">
          {error.code}
          {'\n'}
          {error.detail}
        </Code>
      </Collapse>
    </Alert>
  );
}
