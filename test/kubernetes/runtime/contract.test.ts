/** The Runtime contract over Kubernetes: a real API server, and a test kubelet that runs what is made. */

import { runtimeContract } from '../../contract/runtime.ts';
import { podSpec, runtimeWorld } from '../../support/kubernetes/runtime-world.ts';

runtimeContract('kubernetes', async () => {
  const world = await runtimeWorld();
  return {
    spec: podSpec({ replicas: 2 }),
    otherSpec: podSpec({ replicas: 2, port: 'http' }),
    foreignSpec: { kind: 'endpoints', versions: [] },
    instancesPerVersion: 2,
    offered: [],
    open: async () => (await world.open()).runtime,
    dispose: () => world.dispose(),
  };
});
