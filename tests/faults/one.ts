/**
 * One fault on a box of its own: `tsx tests/faults/one.ts NAME SEED FOLDER`, or `names` for their list. The last line is a JSON object, `{ok: true, counts,
 * slowestMs}` or `{ok: false, error}`; after a failure FOLDER holds the journal and the box's own logs.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS, type Run } from './list.ts';
import { Random } from './random.ts';
import type { Stage } from './stage.ts';

const [name = '', seed = '', folder = ''] = process.argv.slice(2);
function keep(stage: Stage): void {
  mkdirSync(folder, { recursive: true });
  cpSync(join(stage.laptop.home, 'journal.db'), join(folder, 'journal.db'));
  cpSync(join(stage.laptop.home, 'journal.db-wal'), join(folder, 'journal.db-wal'), { force: true });
  cpSync(join(stage.box.root, 'var/lib/vault-cube/jobs'), join(folder, 'jobs'), { recursive: true });
}

async function once({ open, befall }: Run): Promise<Record<string, unknown>> {
  const stage = await open();
  try {
    const { counts, slowestMs } = await befall(stage);
    return { ok: true, counts, slowestMs };
  } catch (error) {
    process.exitCode = 1;
    try {
      keep(stage);
    } catch (again) {
      console.error('the evidence could not be kept:', again);
    }
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  } finally {
    await stage.close();
  }
}

const fault = FAULTS[name];
if (name === 'names') console.log(JSON.stringify(Object.keys(FAULTS)));
else if (fault && /^\d+$/.test(seed) && folder !== '')
  console.log(JSON.stringify(await once(fault(new Random(Number(seed))))));
else throw new Error('usage: one.ts NAME SEED FOLDER');
