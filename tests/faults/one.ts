/**
 * One fault on one fresh box: `tsx tests/faults/one.ts NAME SEED FOLDER`. Its last line is a JSON object, `{ok: true, counts,
 * worstCatchUpMs}` or `{ok: false, error}`; after a failure FOLDER holds the journal and the box's own logs.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS } from './list.ts';
import { Random } from './random.ts';
import { Stage } from './stage.ts';

const [name = '', seed = '', folder = ''] = process.argv.slice(2);
const fault = FAULTS[name];
if (!fault || !/^\d+$/.test(seed) || folder === '') {
  throw new Error(`usage: one.ts ${Object.keys(FAULTS).join('|')} SEED FOLDER`);
}

function keep(stage: Stage): void {
  mkdirSync(folder, { recursive: true });
  cpSync(join(stage.laptop.home, 'journal.db'), join(folder, 'journal.db'));
  cpSync(join(stage.laptop.home, 'journal.db-wal'), join(folder, 'journal.db-wal'), { force: true });
  cpSync(join(stage.box.root, 'var/lib/vault-cube/jobs'), join(folder, 'jobs'), { recursive: true });
}

const stage = await Stage.open();
let answer: Record<string, unknown>;
try {
  const { counts, worstCatchUpMs } = await fault(stage, new Random(Number(seed)));
  answer = { ok: true, counts, worstCatchUpMs };
} catch (error) {
  answer = { ok: false, error: error instanceof Error ? error.message : String(error) };
  process.exitCode = 1;
  try {
    keep(stage);
  } catch (again) {
    console.error('the evidence could not be kept:', again);
  }
} finally {
  await stage.close();
}
console.log(JSON.stringify(answer));
