/** What a flashed system says of itself at its first login: its name, its evidence, and whether its root has the disk. Pure but for the look. */
import type { CheckResult } from '../../../preload/contract/events.ts';
import { Evidence } from '../../../preload/contract/outcome.ts';

/** One `name=value` a line; what the box cannot tell is empty. Sizes of the kernel are in sectors of 512 bytes, that of the file system in bytes. */
export const GROWN_LOOK = `n=$(basename "$(readlink -f "$(findmnt -no SOURCE /)")"); p=/sys/class/block/$n; echo "evidence=$(cat /etc/vault-cube/evidence 2>/dev/null)"; echo "hostname=$(hostname)"; echo "root=$n"; echo "start=$(cat $p/start 2>/dev/null)"; echo "size=$(cat $p/size 2>/dev/null)"; echo "disk=$(cat $p/../size 2>/dev/null)"; echo "fs=$(df -B1 --output=size / | tail -n1 | tr -d ' ')"`;

const SECTOR = 512;
/** A partition ends where the backup table begins, and is laid out in steps of some MiB. */
const END_SLACK = 64 * 1024 * 1024;
/** What ext4 has for itself is no part of the size that df shows. */
const FS_LEAST = 0.85;

export interface Grown {
  evidence: Evidence;
  hostname: string;
  root: string;
  /** Bytes; null where root is no partition of a disk. */
  end: number | null;
  size: number | null;
  disk: number | null;
  fs: number | null;
}

export function readGrown(text: string): Grown {
  const said = new Map(
    text.split('\n').map((line): [string, string] => {
      const [name = '', ...rest] = line.split('=');
      return [name, rest.join('=').trim()];
    }),
  );
  const number = (name: string, unit: number): number | null => {
    const found = said.get(name) ?? '';
    return /^\d+$/.test(found) ? Number(found) * unit : null;
  };
  const [start, size] = [number('start', SECTOR), number('size', SECTOR)];
  return {
    evidence: Evidence.catch('real').parse(said.get('evidence')),
    hostname: said.get('hostname') ?? '',
    root: said.get('root') ?? '',
    ...{ size, disk: number('disk', SECTOR), fs: number('fs', 1) },
    end: start === null || size === null ? null : start + size,
  };
}

const check = (o: Pick<CheckResult, 'id' | 'title' | 'verdict'> & Partial<CheckResult>): CheckResult => ({
  ...{ layer: null, suite: null, value: null, unit: null, threshold: null, source: null },
  ...{ evidence: null, reason: null, nextAction: null, seconds: 0, ...o },
});

export function firstBootChecks(grown: Grown, hostname: string): CheckResult[] {
  const named = check({
    ...{ id: 'first_boot_hostname', title: 'Host name', value: grown.hostname, threshold: hostname },
    verdict: grown.hostname === hostname ? 'pass' : 'fail',
    reason: grown.hostname === hostname ? null : 'the box has another name than its first-boot settings say',
  });
  return [named, rootCheck(grown)];
}

function rootCheck({ root, end, size, disk, fs }: Grown): CheckResult {
  const own = { id: 'first_boot_root_grown', title: 'Root file system has the disk' };
  if (end === null || size === null || disk === null || fs === null)
    return check({
      ...own,
      verdict: 'not_run',
      reason: `root lies on ${root || 'nothing known'}, no partition of a disk`,
    });
  const evidence = `${root} ends at ${end} of ${disk} bytes; its file system has ${fs} of ${size} bytes`;
  const reason =
    disk - end > END_SLACK
      ? 'the partition does not reach to the end of the disk'
      : fs < size * FS_LEAST
        ? 'the file system does not fill its partition'
        : null;
  return check({
    ...{ ...own, verdict: reason === null ? 'pass' : 'fail', value: fs, unit: 'bytes', evidence, reason },
    threshold: 'the partition to the end of the disk, the file system all of the partition',
    nextAction:
      reason === null ? null : 'Look at "cloud-init status --long" and /var/log/cloud-init.log on the box.',
  });
}
