// The test kubelet is what the tests of Kubernetes stand on: a Deployment becomes processes that answer on their own addresses,
// its EndpointSlices follow their readiness, and Pods end as they would on a real node.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DEPLOYMENT, ENDPOINT_SLICE, POD, SERVICE } from '../../src/adapters/kubernetes/client/kinds.ts';
import type { KubernetesObject } from '../../src/adapters/kubernetes/client/objects.ts';
import { list } from '../../src/adapters/kubernetes/client/watch.ts';
import { eventually } from '../support/eventually.ts';
import { TestKubelet } from '../support/kubernetes/kubelet/kubelet.ts';
import { startScheduler } from '../support/kubernetes/kubelet/scheduler.ts';
import { testNamespace } from '../support/kubernetes/shared-cluster.ts';

const MANAGER = join(import.meta.dirname, '../../examples/manager/main.ts');
const PORT = 8080;

interface Slice extends KubernetesObject {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions: { readonly ready?: boolean };
  }[];
}

test('a Deployment becomes processes on their own addresses, and its EndpointSlices follow them', async () => {
  const { api, namespace } = await testNamespace();
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-kubelet-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const kubelets = await Promise.all([1, 2].map((number) => TestKubelet.start({ api, number, folder })));
  onTestFinished(async () => {
    for (const kubelet of kubelets) await kubelet.stop();
  });
  const scheduler = await startScheduler({ api, nodes: () => kubelets.map(({ name }) => name) });
  onTestFinished(() => scheduler.stop());

  const labels = { app: 'manager' };
  const container = {
    name: 'manager',
    image: 'none',
    command: [process.execPath, MANAGER, '--version', 'v1', '--host', '$(POD_IP)', '--port', String(PORT)],
    env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
    readinessProbe: { httpGet: { path: '/healthz', port: PORT }, periodSeconds: 1 },
  };
  await api.create(
    DEPLOYMENT,
    { namespace },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'manager', namespace },
      spec: {
        replicas: 3,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { terminationGracePeriodSeconds: 5, containers: [container] },
        },
      },
    },
  );
  await api.create(
    SERVICE,
    { namespace },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'manager', namespace },
      spec: { selector: labels, ports: [{ port: 80, targetPort: PORT }] },
    },
  );
  const signal = AbortSignal.timeout(60_000);
  const ready = async (): Promise<readonly string[]> => {
    const { items } = await list<Slice>(api, { kind: ENDPOINT_SLICE, namespace }, signal);
    return items
      .flatMap(({ endpoints = [] }) => endpoints)
      .filter(({ conditions }) => conditions.ready === true)
      .flatMap(({ addresses }) => addresses);
  };
  await eventually(async () => (await ready()).length === 3, { within: 40_000, every: 100 });
  const addresses = await ready();
  expect(new Set(addresses.map((address) => address.split('.')[2]))).toEqual(new Set(['1', '2']));
  for (const address of addresses) {
    const answer = (await (await fetch(`http://${address}:${PORT}/`)).json()) as { version: string };
    expect(answer.version).toBe('v1');
  }

  // One that is deleted ends, and another one takes its place on an address of its own.
  const { items } = await list<KubernetesObject>(api, { kind: POD, namespace }, signal);
  const victim = items[0]?.metadata.name ?? '';
  await api.delete(POD, { namespace, name: victim });
  await eventually(
    async () => {
      const now = await list<KubernetesObject>(api, { kind: POD, namespace }, signal);
      return now.items.every(({ metadata }) => metadata.name !== victim) && (await ready()).length === 3;
    },
    { within: 40_000, every: 100 },
  );
});
