/** What will be lost, on a page of its own, and the end of the serial to type: nothing is erased without it. */
import { Alert, Stack, Text, TextInput, Title } from '@mantine/core';
import type { Disk, DiskPart } from '../../../preload/contract/disk.ts';
import { diskName, endOf, isEndOf, partText } from '../../../preload/contract/disk-words.ts';
import type { DiskList, ImageLook } from '../../../preload/contract/flash.ts';
import { bytes } from '../../numbers.ts';
import { BUS_WORDS } from './DiskField.tsx';
import { imageName } from './ImageField.tsx';

/** Who lets the program write, so that a dialog is no surprise. */
const ROOT: Record<NonNullable<DiskList['root']>, string | null> = {
  plain: null,
  pkexec: 'A disk is written as root: this laptop asks for a password in a window of its own.',
  sudo: 'A disk is written as root: the password for sudo on this laptop is asked for next.',
};

function Lost({ parts, table }: { parts: readonly DiskPart[]; table: string | null }) {
  if (parts.length === 0)
    return (
      <Text size="sm">
        {table === null
          ? 'No file system and no partition table is seen on it. What else is on it is lost.'
          : `A partition table (${table}) without partitions that this laptop sees. What else is on it is lost.`}
      </Text>
    );
  return (
    <ul className="flash-lost">
      {parts.map((part) => (
        <li key={part.number ?? 'all'}>
          <span className="flash-long">{partText(part)}</span>
          <span className="flash-lost-size">{bytes(part.size)}</span>
        </li>
      ))}
    </ul>
  );
}

interface Props {
  /** Null where it is not there any more, or not offered. */
  disk: Disk | null;
  look: ImageLook;
  /** Of the system on the disk, where it is told; null where the image is left as it is. */
  hostname: string | null;
  root: DiskList['root'];
  typed: string;
  onType: (text: string) => void;
  /** Enter does what the button does. */
  onEnter: () => void;
}

export function Confirm({ disk, look, hostname, root, typed, onType, onEnter }: Props) {
  const serial = disk?.serial ?? null;
  if (disk === null || serial === null)
    return (
      <Alert color="gray" title="The disk that was chosen is not offered any more.">
        Look at its cable, or go back and choose again. Nothing was written.
      </Alert>
    );
  const many = [...endOf(serial)].length;
  const wrong = typed.trim() !== '' && [...typed.trim()].length >= many && !isEndOf(serial, typed);
  const words = root === null ? null : ROOT[root];
  return (
    <Stack gap="md" maw={720}>
      <section aria-labelledby="flash-what">
        <Title order={3} size="h5" id="flash-what" mb={4}>
          This disk is erased
        </Title>
        <dl className="details">
          <dt>Disk</dt>
          <dd>{diskName(disk)}</dd>
          <dt>Serial</dt>
          <dd className="mono flash-serial">{serial}</dd>
          <dt>Size</dt>
          <dd>
            {bytes(disk.size)}, {BUS_WORDS[disk.bus]}, now at <span className="mono">{disk.path}</span>
          </dd>
          <dt>Image</dt>
          <dd>{imageName(look)}</dd>
          <dt>First boot</dt>
          <dd>
            {hostname === null
              ? 'as the image has it'
              : `host name ${hostname}, vaultadmin with this laptop's key`}
          </dd>
        </dl>
      </section>
      <section aria-labelledby="flash-lost">
        <Title order={3} size="h5" id="flash-lost" mb={4}>
          What will be lost
        </Title>
        <Lost parts={disk.contents} table={disk.table} />
      </section>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onEnter();
        }}
      >
        <TextInput
          label={many < 4 ? 'The whole serial' : 'The last four characters of the serial'}
          description="Compare the serial with the one on the label of the disk, then type them."
          value={typed}
          error={wrong ? 'That is not the end of this serial. Look at the label again.' : undefined}
          autoComplete="off"
          spellCheck={false}
          autoFocus
          maw={520}
          classNames={{ input: 'mono flash-typed' }}
          onChange={(e) => onType(e.currentTarget.value)}
        />
      </form>
      {words && <Text size="sm">{words}</Text>}
    </Stack>
  );
}
