/** Which disk: those that are offered to choose from, the others below, each with what is in the way and what to do about it. */
import { Button, Group, Radio, Stack, Text, Title } from '@mantine/core';
import { useId } from 'react';
import type { Disk } from '../../../preload/contract/disk.ts';
import { contentsText, diskName, reasonAction, reasonText } from '../../../preload/contract/disk-words.ts';
import { ErrorView } from '../../components/ErrorView.tsx';
import { bytes, plural } from '../../numbers.ts';
import type { DisksState } from './useDisks.ts';

export const BUS_WORDS: Record<Disk['bus'], string> = {
  ...{ usb: 'USB', nvme: 'NVMe', sata: 'SATA', sas: 'SAS', mmc: 'card', virtio: 'virtio', iscsi: 'iSCSI' },
  ...{ fc: 'Fibre Channel', loop: 'loop device', other: 'other' },
};

/** Beside its name: size, how it is attached, serial. */
function Facts({ disk }: { disk: Disk }) {
  const { size, bus, serial, path } = disk;
  return (
    <>
      {size > 0 && `${bytes(size)} · `}
      {BUS_WORDS[bus]} · {serial === null ? 'no serial' : <span className="mono">{serial}</span>}
      {diskName(disk) !== path && (
        <>
          {' · now at '}
          <span className="mono">{path}</span>
        </>
      )}
    </>
  );
}

function Offered({ disk }: { disk: Disk }) {
  return (
    <Radio.Card value={disk.serial ?? ''} className="flash-disk" px="md" py="xs">
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <Radio.Indicator mt={2} />
        <div className="flash-disk-words">
          <Text size="sm" fw={600} className="flash-long">
            {diskName(disk)}
          </Text>
          <Text size="sm" className="flash-long">
            <Facts disk={disk} />
          </Text>
          <Text size="xs" c="var(--muted)" className="flash-long">
            On it: {contentsText(disk)}
          </Text>
        </div>
      </Group>
    </Radio.Card>
  );
}

function Refused({ disk }: { disk: Disk }) {
  const { verdict } = disk;
  if (verdict.offered) return null;
  return (
    <li className="flash-refused">
      <Text size="sm" className="flash-long">
        <b>{diskName(disk)}</b> · <Facts disk={disk} />
      </Text>
      <ul>
        {verdict.reasons.map((reason) => (
          <li key={reason.why}>
            <Text size="sm" className="flash-long" span>
              It {reasonText(reason)}.{' '}
            </Text>
            <Text size="sm" c="var(--muted)" className="flash-long" span>
              {reasonAction(reason)}
            </Text>
          </li>
        ))}
      </ul>
    </li>
  );
}

interface Props {
  value: string | null;
  onChange: (serial: string) => void;
  disks: DisksState;
  /** The box whose disks they are; null for this laptop's. */
  of: string | null;
}

/** What the list holds, in a sentence; null before the first answer. */
function summary({ list }: DisksState, of: string | null): string | null {
  if (!list) return null;
  const offered = list.disks.filter((d) => d.verdict.offered).length;
  if (list.disks.length === 0)
    return of === null
      ? 'No disk is seen. Attach the one that is to be flashed: it appears by itself.'
      : `No disk is seen in ${of}. Look whether its firmware shows one.`;
  if (offered === 0)
    return of === null
      ? 'None can be flashed as it is now. Attach another one, or do what is said below.'
      : 'None can be flashed as it is now. Do what is said below.';
  return `${plural(offered, 'disk')} can be flashed.`;
}

export function DiskField({ value, onChange, disks, of }: Props) {
  const title = useId();
  const refusedTitle = useId();
  const { list, error, asking, again } = disks;
  const offered = list?.disks.filter((d) => d.verdict.offered) ?? [];
  const refused = list?.disks.filter((d) => !d.verdict.offered) ?? [];
  return (
    <Stack gap="xs" component="section" aria-labelledby={title}>
      <Group justify="space-between">
        <Title order={3} size="h5" id={title}>
          Disk
        </Title>
        <Button size="compact-sm" variant="default" loading={asking && list !== null} onClick={again}>
          Look again
        </Button>
      </Group>
      {error && <ErrorView error={error} />}
      <Text size="sm" role="status">
        {summary(disks, of) ?? (error || !asking ? '' : `Looking at the disks of ${of ?? 'this laptop'}.`)}
      </Text>
      {offered.length > 0 && (
        <Radio.Group value={value} onChange={onChange} aria-labelledby={title}>
          <Stack gap="xs">
            {offered.map((disk) => (
              <Offered key={`${disk.path} ${disk.serial}`} disk={disk} />
            ))}
          </Stack>
        </Radio.Group>
      )}
      {refused.length > 0 && (
        <section aria-labelledby={refusedTitle}>
          <Text size="sm" fw={600} mt="xs" id={refusedTitle}>
            Not offered ({refused.length})
          </Text>
          <ul className="flash-refusals">
            {refused.map((disk) => (
              <Refused key={`${disk.path} ${disk.serial}`} disk={disk} />
            ))}
          </ul>
        </section>
      )}
    </Stack>
  );
}
