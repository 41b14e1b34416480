// How many instances a candidate must have before it is up.
import { expect, test } from 'vitest';
import type { KubernetesRuntimeSpec } from '../../../src/model/kubernetes.ts';
import { instancesAsked } from '../../../src/rollout/observation.ts';
import { aProcessesSpec } from '../../support/records.ts';

const kubernetes: KubernetesRuntimeSpec = {
  kind: 'kubernetes',
  pods: { kind: 'template', template: {} },
  port: 80,
  replicas: 3,
  maxUnavailable: 1,
};

test.each([
  ['of endpoints: one', { kind: 'endpoints', versions: [] } as const, 1],
  ['of processes: as many as it says', { ...aProcessesSpec().runtime, instances: 4 } as const, 4],
  ['of Pods: its replicas', kubernetes, 3],
  [
    'of Pods with an autoscaler: its fewest',
    { ...kubernetes, autoscaling: { min: 5, max: 9, cpuPercent: 80 } },
    5,
  ],
])('%s', (_, runtime, asked) => {
  expect(instancesAsked(runtime)).toBe(asked);
});
