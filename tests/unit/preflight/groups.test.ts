/** Every preflight check has its place on the screen, and every blocker is a check. */
import { describe, expect, it } from 'vitest';
import { isBlocker, PREFLIGHT_GROUPS } from '../../../preload/contract/preflight.ts';
import { ACCESS } from '../../../main/services/preflight/access.ts';
import { GPUS } from '../../../main/services/preflight/gpus.ts';
import { MACHINE } from '../../../main/services/preflight/machine.ts';
import { SOFTWARE } from '../../../main/services/preflight/software.ts';
import { SYSTEM } from '../../../main/services/preflight/system.ts';

const checks = [...ACCESS, ...SYSTEM, ...MACHINE, ...GPUS, ...SOFTWARE].map((c) => c.id);

describe('groups of preflight', () => {
  it('hold every check once and nothing else', () => {
    expect(PREFLIGHT_GROUPS.flatMap((g) => g.checks).toSorted()).toEqual(checks.toSorted());
  });

  it('have blockers among them, by fail and error only', () => {
    const blocking = checks.filter((id) => isBlocker({ id, verdict: 'fail' }));
    expect(blocking.length).toBeGreaterThan(0);
    expect(checks.filter((id) => isBlocker({ id, verdict: 'error' }))).toEqual(blocking);
    for (const verdict of ['pass', 'warn', 'not_run', 'not_supported'] as const) {
      expect(checks.filter((id) => isBlocker({ id, verdict }))).toEqual([]);
    }
  });
});
