/** The cable is out while a box installs, as it may be at a site: what was fetched is all that an installation needs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventIn } from '../faults/stage.ts';
import type { RigBox } from '../rig/box.ts';
import { until } from '../rig/host.ts';
import type { Counts } from '../rig/sink.ts';
import type { CliRun, Record_ } from './cli.ts';

/** Kinds of jobs that install; hardening is none of them, as a new login has to confirm it. */
const INSTALLS = ['bootstrap', 'layer'];
const INSTALL_MS = 600_000;

const some = expect.toSatisfy((n: number) => n > 0, 'more than none') as number;
/** What the sink must count of a control run: a count of nothing else means something. */
export const SOME_OF_EACH: Counts = { ipv4: some, ipv6: some, dns: some };

/** Pulls the cable, and puts it back when the job's result is on the box. Resolves to what the box saw of its cable at the end. */
async function out(box: RigBox, { job, attempt }: Record_): Promise<string> {
  const result = join(box.root, `var/lib/vault-cube/jobs/${job as string}/${attempt as number}/result.json`);
  await box.cutLink('down');
  try {
    await until('the result of an installation', () => existsSync(result), INSTALL_MS);
    return (await box.run(['cat', '/sys/class/net/host0/operstate'])).stdout.trim();
  } finally {
    await box.restoreLink();
  }
}

/**
 * Follows a command to its end, with the cable out during each installation. Resolves to the titles of these, each with the state
 * of the box's cable when its result was there.
 */
export async function withoutCable(run: CliRun, box: RigBox): Promise<Record<string, string>> {
  const seen: Record<string, string> = {};
  let work = Promise.resolve();
  run.watch((record) => {
    const event = eventIn(record);
    if (event?.['kind'] !== 'started' || !INSTALLS.includes(String(event['jobKind']))) return;
    work = work.then(async () => {
      seen[String(event['title'])] = await out(box, record);
    });
    work.catch(() => undefined); // told below
  });
  await run.ended;
  await work;
  return seen;
}
