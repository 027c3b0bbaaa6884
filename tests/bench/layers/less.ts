/** A box that gets only a part of a core, so that an installation takes as long as on a machine with real packages. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RigBox } from '../../rig/box.ts';
import { until } from '../../rig/host.ts';
import { tree } from '../window/processes.ts';

const PERIOD_US = 100_000;
const CPU = '/sys/fs/cgroup/cpu';
const GONE_MS = 5_000;

/** Why it cannot be done here; null when it can. */
export const whyNoLess = (): string | null =>
  existsSync(join(CPU, 'cpu.cfs_quota_us')) ? null : 'no control group tree for processors (version 1)';

/** Holds what runs in the box, and whatever comes after, to `part` of a core. Resolves to what removes the rest when it is off. */
export function holdTo(part: number, box: RigBox): () => Promise<void> {
  const group = join(CPU, box.name);
  const leader = box.leader();
  assert(leader !== null, 'the box is off');
  mkdirSync(group);
  writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD_US));
  writeFileSync(join(group, 'cpu.cfs_quota_us'), String(Math.round(part * PERIOD_US)));
  const held = new Set<number>();
  // What was forked between the list and the move is in the next list.
  for (let fresh = tree(leader); fresh.length > 0; fresh = tree(leader).filter((pid) => !held.has(pid)))
    for (const pid of fresh) {
      held.add(pid);
      try {
        writeFileSync(join(group, 'cgroup.procs'), String(pid));
      } catch {
        // It ended by itself.
      }
    }
  return async () => {
    const empty = () => {
      try {
        rmdirSync(group);
      } catch {
        return !existsSync(group) || readdirSync(group).length === 0;
      }
      return true;
    };
    await until(`the end of ${group}`, empty, GONE_MS);
  };
}
