import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds that the long files take, about: what begins last must not be what takes longest. */
const SECONDS: Readonly<Record<string, number>> = {
  'tests/integration/all-layers.test.ts': 1200,
  'tests/integration/mend.test.ts': 690,
  'tests/integration/layers.test.ts': 440,
  'tests/e2e/rig.test.ts': 400,
  'tests/integration/road.test.ts': 370,
  'tests/faults/layer.test.ts': 330,
  'tests/faults/kill.test.ts': 270,
  'tests/integration/bad-input/first-contact.test.ts': 250,
  'tests/faults/above.test.ts': 240,
  'tests/integration/practice.test.ts': 230,
  'tests/e2e/errors.test.ts': 210,
  'tests/integration/bad-input/jobs.test.ts': 190,
  'tests/faults/cuts.test.ts': 170,
  'tests/integration/flash-rig.test.ts': 150,
  'tests/e2e/practice.test.ts': 110,
  'tests/e2e/flash-net.test.ts': 90,
  'tests/integration/fleet.test.ts': 110,
};

/**
 * Of windows and boxes together, which `npm test` runs side by side: on two cores half of the time of two workers was spent in waiting for
 * a boot, a link, a page. The same number, so that vitest gives both projects one pool.
 */
const WORKERS = 3;

/** Long files first, the others as vitest has them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = ({ moduleId }: TestSpecification) =>
      SECONDS[relative(import.meta.dirname, moduleId)] ?? 0;
    return (await super.sort(files)).sort((a, b) => seconds(b) - seconds(a));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], testTimeout: 20_000 },
      },
      {
        test: {
          name: 'renderer',
          include: ['tests/renderer/**/*.test.{ts,tsx}'],
          environment: 'jsdom',
          setupFiles: ['tests/renderer/setup.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          // A shell's answer, a file, a state: on a machine that is busy with other tests they take more than a second.
          expect: { poll: { timeout: 20_000 } },
          testTimeout: 180_000,
          hookTimeout: 60_000,
          // Each has a display and a data folder of its own; a window waits more than it computes.
          maxWorkers: WORKERS,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts', 'tests/faults/**/*.test.ts'],
          // Minutes of firmware and kernel in software.
          exclude:
            process.env['MEND'] === 'all'
              ? []
              : ['vm-flash', 'soak', 'image/machine'].map((name) => `tests/integration/${name}.test.ts`),
          // A layer takes a minute by itself; beside another box, and what else the machine does, four.
          testTimeout: 420_000,
          hookTimeout: 600_000,
          maxWorkers: WORKERS,
        },
      },
    ],
  },
});
