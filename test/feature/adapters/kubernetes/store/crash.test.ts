// A leader that dies at any request of any change leaves the change whole or absent: its successor finds it so.
import fc from 'fast-check';
import { test } from 'vitest';
import { SimulatedServer } from '../../../../support/kubernetes/simulated-server.ts';
import { anySteps, walk } from '../../../../support/kubernetes/store-walk.ts';
import { full, seed } from '../../../../support/seed.ts';

test('after a crash at any request the next leader holds each change whole or not at all, and what was acknowledged', async () => {
  await fc.assert(
    fc.asyncProperty(anySteps, (steps) => walk(new SimulatedServer().connect(), steps)),
    { numRuns: full() ? 1_500 : 100, seed: seed() },
  );
});
