import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
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
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts', 'tests/faults/**/*.test.ts'],
          // A layer takes a minute by itself; beside another box, and what else the machine does, four.
          testTimeout: 420_000,
          hookTimeout: 600_000,
          // Boxes are heavy: two files at a time on two cores.
          maxWorkers: 2,
        },
      },
    ],
  },
});
