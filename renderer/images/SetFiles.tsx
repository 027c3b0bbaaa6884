/** The files of a set, what its labels say, and what can be done with it. */
import { Badge, Button, Group, Text } from '@mantine/core';
import type { ImageSet } from '../../preload/contract/image-desk.ts';
import { call } from '../api.ts';
import { bytes } from '../numbers.ts';
import { attempt, leaveImages } from '../stores/frame.ts';
import { showVerify } from '../stores/images.ts';

export function Labels({ labels }: { labels: readonly string[] }) {
  return labels.map((label) => (
    <Badge key={label} variant="default" tt="none" maw="100%">
      {label}
    </Badge>
  ));
}

interface Props {
  set: ImageSet;
  /** Left out where it is being verified. */
  verifies?: boolean;
  /** It may not be flashed: it is not whole. */
  broken?: boolean;
}

export function SetFiles({ set, verifies = true, broken = false }: Props) {
  const { dir, files, virtualSize } = set;
  const missing = files.some((one) => one.bytes === null);
  return (
    <div className="image-set">
      <Text size="sm" className="report-path mono">
        {dir}
      </Text>
      <ul className="report-list">
        {files.map(({ file, bytes: size }) => (
          <li key={file}>
            <span className="report-path">{file}</span>
            {size === null ? (
              <span className="verdict image-tone" data-tone="fail">
                <span aria-hidden className="verdict-icon">
                  ✕
                </span>
                missing
              </span>
            ) : (
              <Text size="sm" span c="var(--muted)">
                {bytes(size)}
              </Text>
            )}
          </li>
        ))}
      </ul>
      <Text size="xs" c="var(--muted)">
        The disk in it has {bytes(virtualSize)}.
      </Text>
      <Group gap="xs" mt={4}>
        {verifies && (
          <Button size="compact-sm" variant="default" onClick={() => showVerify(dir)}>
            Verify…
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          disabled={missing || broken}
          onClick={() => leaveImages(set)}
        >
          Flash it…
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => void attempt(() => call('open.path', { path: dir }))}
        >
          Open folder
        </Button>
      </Group>
    </div>
  );
}
