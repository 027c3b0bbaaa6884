/** A command to type on the box's console or on this laptop, with a button that copies it. */
import { ActionIcon, CopyButton, Group } from '@mantine/core';
import { CopyIcon } from './CopyIcon.tsx';

export function Command({ text }: { text: string }) {
  return (
    <Group gap="xs" wrap="nowrap" className="command">
      <code className="mono">{text}</code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={copied ? 'Copied' : `Copy: ${text}`}
            title={copied ? 'Copied' : 'Copy'}
            onClick={copy}
          >
            {copied ? <span aria-hidden>✓</span> : <CopyIcon />}
          </ActionIcon>
        )}
      </CopyButton>
    </Group>
  );
}
