/** Stand-in wheels of layer 4 with their lock files: see make_frameworks.py. What they tell of GPUs, the stand-in nvidia-smi told them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PYTHON, ROOT, must } from './host.ts';

const MAKE = join(ROOT, 'tests', 'rig', 'make_frameworks.py');
const TEXTS = join(ROOT, 'tests', 'rig', 'standin', 'frameworks');
const LOCKS = join(ROOT, 'ansible', 'roles', 'ai_frameworks', 'files', 'locks');
const ENVIRONMENTS = ['torch', 'tensorflow', 'vllm'];

/** Inputs of the wheels, beside this file. */
export const FRAMEWORK_FILES: string[] = [
  MAKE,
  ...ENVIRONMENTS.map((name) => join(LOCKS, `${name}-py312.txt`)),
  ...readdirSync(TEXTS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.py'))
    .sort()
    .map((name) => join(TEXTS, name)),
];

/** Makes the folder `out`: the wheels, and `<environment>.txt` with a hash for each. */
export async function makeFrameworks(out: string): Promise<void> {
  await must(PYTHON, [MAKE, LOCKS, TEXTS, out]);
}
