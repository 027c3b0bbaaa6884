/**
 * The lock files of layer 4 resolve against the package index as they stand here: every version and every hash is there, and their
 * policies lead to just them. Only the wheels' metadata is read.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, run } from '../rig/host.ts';

/** Exit code of scripts/locks.mjs where the index does not answer. */
const NO_INDEX = 3;
const done = await run(process.execPath, [join(ROOT, 'scripts', 'locks.mjs'), '--check']);
const why = done.code === NO_INDEX ? 'the package index does not answer' : null;

describe.runIf(why === null)(`lock files${why ? ` (not run: ${why})` : ''}`, () => {
  it('are what their policies resolve to', () => {
    expect(done.code, done.stdout + done.stderr).toBe(0);
    expect(done.stdout).toBe('vllm: as it was\ntorch: as it was\ntensorflow: as it was\n');
  });
});
