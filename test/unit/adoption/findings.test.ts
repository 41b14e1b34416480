// What would make an adoption lose requests is found, each thing by its name, and a plain Deployment has nothing of it.
import { describe, expect, test } from 'vitest';
import type { Chosen } from '../../../src/adoption/choose.ts';
import type { Finding } from '../../../src/adoption/finding.ts';
import { type Around, findingsOf } from '../../../src/adoption/findings.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { around, deployment, service } from '../../support/kubernetes/adoptable.ts';

const AS = { service: serviceName('orders'), version: versionName('v1') };

function findings(of: Partial<Chosen> = {}, more: Partial<Around> = {}): readonly Finding[] {
  const one = of.service ?? service();
  const [port = { port: 80 }] = one.spec.ports ?? [];
  const chosen = { deployment: deployment(), service: one, port, hosts: [], ...of };
  return findingsOf(chosen, around(more), AS);
}

const named = (name: string) => ({ apiVersion: '', kind: '', metadata: { name } });
const pod = (name: string, labels: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
});
const cpu = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { averageUtilization } },
});
const scaler = (...metrics: readonly object[]) => ({
  ...named('orders'),
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'orders' }, minReplicas: 2, maxReplicas: 9, metrics },
});
const applied = (fields: object) => [
  { manager: 'argocd', operation: 'Apply' as const, fieldsV1: fields as never },
];

test('a plain Deployment with a plain Service has nothing that would lose requests', () => {
  expect(findings()).toEqual([]);
});

describe('found', () => {
  const cases: readonly (readonly [name: string, weight: Finding['weight'], found: readonly Finding[]])[] = [
    ['ExternalName', 'Refused', findings({ service: service({ type: 'ExternalName' }) })],
    ['HeadlessService', 'Lossy', findings({ service: service({ clusterIP: 'None' }) })],
    ['NotTcp', 'Refused', findings({ service: service({ ports: [{ port: 53, protocol: 'UDP' }] }) })],
    [
      'OtherPorts',
      'Told',
      findings({
        service: service({
          ports: [
            { name: 'a', port: 80 },
            { name: 'b', port: 81 },
          ],
        }),
      }),
    ],
    ['SessionAffinity', 'Told', findings({ service: service({ sessionAffinity: 'ClientIP' }) })],
    [
      'OtherPods',
      'Lossy',
      findings(
        { service: service({ selector: { tier: 'web' } }) },
        { pods: [pod('own', { app: 'orders', tier: 'web' }), pod('other', { tier: 'web' })] },
      ),
    ],
    [
      'OtherServices',
      'Lossy',
      findings({}, { services: [service(), service({ selector: { tier: 'web' } }, 'web')] }),
    ],
    [
      'NoReplicas',
      'Refused',
      findings({
        deployment: deployment(
          { replicas: 0 },
          { status: { replicas: 0, updatedReplicas: 0, readyReplicas: 0 } },
        ),
      }),
    ],
    [
      'RollingOut',
      'Refused',
      findings({ deployment: deployment({}, { status: { updatedReplicas: 1, replicas: 3 } }) }),
    ],
    [
      'RollingOut',
      'Refused',
      findings({ deployment: deployment({}, { status: { observedGeneration: 2 } }) }),
    ],
    ['NotReady', 'Refused', findings({ deployment: deployment({}, { status: { readyReplicas: 1 } }) })],
    ['RecreateStrategy', 'Lossy', findings({ deployment: deployment({ strategy: { type: 'Recreate' } }) })],
    [
      'NoReadinessProbe',
      'Lossy',
      findings({ deployment: deployment({}, { container: { readinessProbe: undefined } }) }),
    ],
    [
      'PersistentVolumes',
      'Lossy',
      findings({
        deployment: deployment(
          {},
          { pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'a' } }] } },
        ),
      }),
    ],
    [
      'HostPorts',
      'Lossy',
      findings({
        deployment: deployment({}, { container: { ports: [{ containerPort: 80, hostPort: 80 }] } }),
      }),
    ],
    ['HostPorts', 'Lossy', findings({ deployment: deployment({}, { pod: { hostNetwork: true } }) })],
    ['Autoscaler', 'Told', findings({}, { autoscalers: [scaler(cpu(70))] as never })],
    ['Autoscaler', 'Lossy', findings({}, { autoscalers: [scaler(cpu(70), { type: 'External' })] as never })],
    ['NetworkPolicies', 'Lossy', findings({}, { policies: undefined })],
    [
      'NetworkPolicies',
      'Lossy',
      findings(
        {},
        { policies: [{ ...named('own'), spec: { podSelector: { matchLabels: { app: 'orders' } } } }] },
      ),
    ],
    [
      'NetworkPolicies',
      'Lossy',
      findings(
        {},
        {
          policies: [
            {
              ...named('theirs'),
              spec: {
                podSelector: { matchLabels: { app: 'web' } },
                egress: [{ to: [{ podSelector: { matchLabels: { app: 'orders' } } }] }],
              },
            },
          ],
        },
      ),
    ],
    [
      'SelectorApplied',
      'Refused',
      findings({
        service: {
          ...service(),
          metadata: { name: 'orders', managedFields: applied({ 'f:spec': { 'f:selector': {} } }) },
        },
      }),
    ],
    [
      'ReplicasApplied',
      'Told',
      findings({
        deployment: {
          ...deployment(),
          metadata: {
            name: 'orders',
            generation: 3,
            managedFields: applied({ 'f:spec': { 'f:replicas': {} } }),
          },
        },
      }),
    ],
  ];
  for (const [name, weight, found] of cases) {
    test(`${name} is ${weight}`, () => {
      expect(found.map((one) => [one.name, one.weight])).toEqual([[name, weight]]);
      expect(found[0]?.message).toMatch(/^[a-zA-Z].{30,}/);
    });
  }
});

test('policies that know the Pods by labels that stay, or know others, are no matter', () => {
  const policies = [
    { ...named('tier'), spec: { podSelector: { matchLabels: { tier: 'web' } } } },
    { ...named('all'), spec: { podSelector: {} } },
    { ...named('other'), spec: { podSelector: { matchLabels: { app: 'other' } } } },
  ];
  expect(findings({}, { policies })).toEqual([]);
});

test('what refuses comes first', () => {
  const weights = findings({
    service: service({ clusterIP: 'None', sessionAffinity: 'ClientIP' }),
    deployment: deployment({ strategy: { type: 'Recreate' } }, { status: { readyReplicas: 0 } }),
  }).map(({ weight }) => weight);
  expect(weights).toEqual(['Refused', 'Lossy', 'Lossy', 'Told']);
});
