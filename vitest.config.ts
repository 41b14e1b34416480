// How the tests run. `fast` is everything that needs no other program: its files run in parallel. `e2e` starts real
// programs (Envoy, ...): its files run one after the other, with time to start and to stop them. `kubernetes` has an API server, in
// the network namespace that scripts/kubernetes/in-namespace.sh makes.
import { randomInt } from 'node:crypto';
import { defineConfig } from 'vitest/config';

if (process.env['SWITCHYARD_SEED'] === undefined) {
  process.env['SWITCHYARD_SEED'] = String(randomInt(1_000_000_000));
  console.log(`seed: SWITCHYARD_SEED=${process.env['SWITCHYARD_SEED']} repeats this run`);
}

// With SWITCHYARD_FULL=1 tests take many times as many examples.
const fastTimeout = process.env['SWITCHYARD_FULL'] === '1' ? 300_000 : 60_000;

export default defineConfig({
  test: {
    maxWorkers: 2,
    setupFiles: ['test/support/setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/{unit,golden,contract,feature}/**/*.test.ts'],
          testTimeout: fastTimeout,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'kubernetes',
          include: ['test/kubernetes/**/*.test.ts'],
          globalSetup: ['test/support/kubernetes/shared-cluster.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
