/** Which image: its path, picked or typed, and what it says of itself. */
import { Badge, Group, Stack, Text } from '@mantine/core';
import type { ImageLook } from '../../../preload/contract/flash.ts';
import { ErrorView } from '../../components/ErrorView.tsx';
import { FileField } from '../../components/FileField.tsx';
import { Verdict } from '../../components/Verdict.tsx';
import { bytes } from '../../numbers.ts';
import { timeOf } from '../../words.ts';
import type { ImageState } from './useImage.ts';

/** The file's own name, for places that have no room for its path. */
export const fileName = (path: string): string => path.split(/[/\\]/).at(-1) ?? path;

/** As a person calls it: name and version of its manifest, else its file. */
export const imageName = ({ manifest, path }: ImageLook): string =>
  manifest ? `${manifest.name} ${manifest.version}` : fileName(path);

/** What will show that it is whole. Nothing was compared yet: no verdict but a warning. */
function Proof({ proof, proofFrom }: ImageLook) {
  switch (proof) {
    case 'disk_hash':
      return (
        <>
          disk hash in <Path text={proofFrom} />, compared before the disk can start
        </>
      );
    case 'checksum':
      return (
        <>
          SHA-256 in <Path text={proofFrom} />, compared before the first byte is written
        </>
      );
    case null:
      return (
        <>
          <Verdict verdict="warn" /> neither manifest.json nor a .sha256 lies beside it: what is written is
          read back, but nothing shows that the image is whole
        </>
      );
  }
}

const Path = ({ text }: { text: string | null }) => (
  <span className="mono" title={text ?? undefined}>
    {fileName(text ?? '')}
  </span>
);

function Facts({ look }: { look: ImageLook }) {
  const { manifest, kind, virtualSize, fileBytes } = look;
  return (
    <div className="flash-image" data-proof={look.proof ?? 'none'}>
      <Group gap="sm">
        <Text size="sm" fw={600} className="flash-long">
          {imageName(look)}
        </Text>
        {manifest?.labels.map((label) => (
          <Badge key={label} variant="default" tt="none" maw="100%">
            {label}
          </Badge>
        ))}
      </Group>
      <dl className="details">
        <dt>Kind</dt>
        <dd>
          {kind}, {bytes(fileBytes)}
        </dd>
        <dt>Its disk</dt>
        <dd>{virtualSize === null ? 'how large, tells only the end of the file' : bytes(virtualSize)}</dd>
        {manifest && (
          <>
            <dt>Built</dt>
            <dd>{timeOf(manifest.created)}</dd>
          </>
        )}
        <dt>Checksum</dt>
        <dd>
          <Proof {...look} />
        </dd>
      </dl>
    </div>
  );
}

interface Props {
  value: string;
  onChange: (path: string) => void;
  image: ImageState;
}

export function ImageField({ value, onChange, image }: Props) {
  const { look, error, asking } = image;
  return (
    <Stack gap="xs">
      <FileField
        label="Image"
        description="qcow2, raw, or raw compressed with zstd, gzip or xz; its manifest.json in the same folder."
        what="image"
        value={value}
        onChange={onChange}
      />
      {asking && (
        <Text size="sm" c="var(--muted)">
          Looking at the image.
        </Text>
      )}
      {error && <ErrorView error={error} />}
      {look && <Facts look={look} />}
    </Stack>
  );
}
