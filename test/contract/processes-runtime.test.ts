/** The Runtime contract over real processes of this machine. */
import { createProcessesWorld } from '../support/processes-world.ts';
import { runtimeContract } from './runtime.ts';

runtimeContract('processes', async () => {
  const world = await createProcessesWorld();
  return {
    spec: world.spec([], { instances: 2 }),
    otherSpec: world.spec([], { instances: 2 }),
    foreignSpec: { kind: 'endpoints', versions: [] },
    instancesPerVersion: 2,
    offered: [],
    open: () => world.open(),
    dispose: () => world.dispose(),
  };
});
