/** The Runtime contract over addresses that somebody else runs: v1 in the spec, v2 in a watched file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock.ts';
import { EndpointsRuntime } from '../../src/adapters/endpoints/runtime.ts';
import { versionName } from '../../src/model/names.ts';
import type { EndpointsRuntimeSpec } from '../../src/model/spec.ts';
import { parseLines } from '../support/endpoints-lines.ts';
import { runtimeContract } from './runtime.ts';

runtimeContract('endpoints', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-endpoints-'));
  const file = join(folder, 'endpoints.txt');
  await writeFile(file, 'v2 127.0.0.1:9003 127.0.0.1:9004\n');
  const spec: EndpointsRuntimeSpec = {
    kind: 'endpoints',
    versions: [
      {
        name: versionName('v1'),
        addresses: [
          { host: '127.0.0.1', port: 9001 },
          { host: '::1', port: 9001 },
        ],
      },
    ],
    file,
  };
  return {
    spec,
    otherSpec: spec,
    foreignSpec: {
      kind: 'processes',
      command: ['true'],
      environment: {},
      instances: 1,
      ports: { from: 9000, to: 9000 },
      readiness: { kind: 'tcp', interval: 1000, timeout: 1000, failureThreshold: 3 },
      stopGrace: 1000,
      restartBackoff: { initial: 100, max: 1000 },
    },
    instancesPerVersion: 2,
    offered: ['v1', 'v2'],
    open: async () =>
      new EndpointsRuntime({
        clock: systemClock,
        parseFile: parseLines,
        stateFolder: join(folder, 'state'),
        interval: 20,
      }),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
});
