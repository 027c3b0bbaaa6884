/** Folders of virtual machines, each named after the process that it belongs to. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { RIG } from './host.ts';
import { startedAt } from './resources.ts';

const VMS = join(RIG, 'vms');
const OWNER = 'owner';

/** A new one. QEMU itself ends with the process that started it. */
export function vmFolder(): string {
  mkdirSync(VMS, { recursive: true });
  const dir = mkdtempSync(join(VMS, `${process.pid}-`));
  writeFileSync(join(dir, OWNER), startedAt(process.pid) ?? '');
  return dir;
}

/** Removes the folders of processes that are gone; answers their names. */
export function cleanUpVms(): string[] {
  if (!existsSync(VMS)) return [];
  const dead = readdirSync(VMS).filter((name) => {
    const owner = join(VMS, name, OWNER);
    // One that is being made has no owner yet.
    const since = existsSync(owner) ? readFileSync(owner, 'utf8') : null;
    const now = startedAt(parseInt(name, 10));
    return now === null || (since !== null && now !== since);
  });
  for (const name of dead) rmSync(join(VMS, name), { recursive: true, force: true });
  return dead;
}
