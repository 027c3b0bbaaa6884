/**
 * One fault at a place of its own: `tsx tests/faults/one.ts NAME SEED FOLDER`, or `names` for their list. The last line is a JSON object, `{ok: true, counts,
 * slowestMs}` or `{ok: false, error}`; after a failure FOLDER holds what the place kept: the journal, and a box's own logs.
 */
import { FAULTS, type Scene } from './list.ts';
import { Random } from './random.ts';

const [name = '', seed = '', folder = ''] = process.argv.slice(2);

async function once(open: () => Promise<Scene>): Promise<Record<string, unknown>> {
  const scene = await open();
  try {
    const { counts, slowestMs } = await scene.befall();
    return { ok: true, counts, slowestMs };
  } catch (error) {
    process.exitCode = 1;
    try {
      scene.keep(folder);
    } catch (again) {
      console.error('the evidence could not be kept:', again);
    }
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  } finally {
    await scene.close();
  }
}

const fault = FAULTS[name];
if (name === 'names') console.log(JSON.stringify(Object.keys(FAULTS)));
else if (fault && /^\d+$/.test(seed) && folder !== '')
  console.log(JSON.stringify(await once(fault(new Random(Number(seed))))));
else throw new Error('usage: one.ts NAME SEED FOLDER');
