// Instances are as their Pods and EndpointSlices say, on a real API server: never ready by hope.
import { expect, test, vi } from 'vitest';
import {
  AUTOSCALER,
  CONFIG_MAP,
  DEPLOYMENT,
  DISRUPTION_BUDGET,
  ENDPOINT_SLICE,
  POD,
  SERVICE,
} from '../../../src/adapters/kubernetes/client/kinds.ts';
import type { KubernetesObject } from '../../../src/adapters/kubernetes/client/objects.ts';
import { labelsOf } from '../../../src/adapters/kubernetes/labels.ts';
import { objectName } from '../../../src/adapters/kubernetes/names.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { Runtime } from '../../../src/ports/runtime.ts';
import { container, podSpec, runtimeWorld } from '../../support/kubernetes/runtime-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
/** Of a version; ControllerRevisions and ReplicaSets of Deployments are Kubernetes' own too. */
const MADE = [DEPLOYMENT, SERVICE, DISRUPTION_BUDGET, AUTOSCALER];
const PATIENCE = { timeout: 30_000, interval: 50 };

async function become(runtime: Runtime, state: Instance['state']): Promise<Instance> {
  return await vi.waitFor(() => {
    const [instance] = runtime.instances(MANAGER);
    if (instance?.state !== state) throw new Error(`not ${state}: ${JSON.stringify(instance)}`);
    return instance;
  }, PATIENCE);
}

function tell({ address: { host, port } }: Instance, what: 'ready' | 'unready'): Promise<Response> {
  return fetch(`http://${host}:${port}/${what}`, { method: 'POST' });
}

test('a Pod that is not ready is Starting, then Ready, then Unready, then Ready again', async () => {
  const world = await runtimeWorld();
  const { runtime } = await world.open();
  const spec = podSpec({}, container({}, [{ name: 'READY', value: 'false' }]));
  const states: string[] = [];
  runtime.subscribe(() => states.push(...runtime.instances(MANAGER).map(({ state }) => state)));
  await runtime.want({ service: MANAGER, spec, versions: [V1] });
  const starting = await become(runtime, 'Starting');
  await vi.waitFor(async () => expect((await tell(starting, 'unready')).ok).toBe(true), PATIENCE);
  expect(states).not.toContain('Ready');
  await tell(starting, 'ready');
  const ready = await become(runtime, 'Ready');
  expect(ready).toMatchObject({ id: starting.id, restarts: 0, reason: 'its Pod is ready' });
  await tell(ready, 'unready');
  const unready = await become(runtime, 'Unready');
  expect(unready.reason).toMatch(/^its Pod is not ready any more/);
  await tell(ready, 'ready');
  await become(runtime, 'Ready');
});

test('a Pod that crashes is Failed, with how often it began again', async () => {
  const world = await runtimeWorld();
  const { runtime } = await world.open();
  const spec = podSpec({}, container({ command: ['false'] }));
  await runtime.want({ service: MANAGER, spec, versions: [V1] });
  await vi.waitFor(() => {
    const [instance] = runtime.instances(MANAGER);
    expect(instance).toMatchObject({
      state: 'Failed',
      reason: expect.stringContaining('CrashLoopBackOff') as string,
    });
    expect(instance?.restarts).toBeGreaterThan(0);
  }, PATIENCE);
});

test('an instance of a version that goes is Stopping until its Pod is gone, and then nothing of the version is left', async () => {
  const world = await runtimeWorld();
  const { runtime } = await world.open();
  const spec = podSpec({}, container({ lifecycle: { preStop: { sleep: { seconds: 3 } } } }));
  await runtime.want({ service: MANAGER, spec, versions: [V1] });
  const ready = await become(runtime, 'Ready');
  await runtime.want({ service: MANAGER, spec, versions: [] });
  expect((await become(runtime, 'Stopping')).id).toBe(ready.id);
  expect(await world.all(DEPLOYMENT)).toEqual([]);
  expect((await world.all(POD)).map(({ metadata }) => metadata.name)).toEqual([ready.id]);
  expect(await world.all(SERVICE)).toHaveLength(1);
  await vi.waitFor(() => expect(runtime.instances(MANAGER)).toEqual([]), PATIENCE);
  await vi.waitFor(async () => {
    const left = await Promise.all(MADE.map((kind) => world.all(kind)));
    expect(left.flat().map(({ metadata }) => metadata.name)).toEqual([]);
  }, PATIENCE);
});

test('what is made belongs to the VersionedService, and goes with it', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const { namespace, api } = world;
  const { metadata } = await api.create<KubernetesObject>(
    CONFIG_MAP,
    { namespace },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'stands-for-it', namespace },
    },
  );
  const owner = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
  };
  let isKnown = true;
  const { runtime, caches } = await world.open({ ownerOf: () => (isKnown ? owner : undefined) });
  const spec = podSpec({ autoscaling: { min: 1, max: 2, cpuPercent: 80 } });
  await runtime.want({ service: MANAGER, spec, versions: [V1] });
  await vi.waitFor(() => expect(caches.autoscalers.of(MANAGER)).toHaveLength(1), PATIENCE);
  // Whoever does not know the owner any more does not take it away: what has lost its owner would stay for ever.
  isKnown = false;
  await runtime.want({ service: MANAGER, spec: { ...spec, maxUnavailable: 2 }, versions: [V1] });
  await vi.waitFor(() => {
    const [budget] = caches.budgets.of(MANAGER);
    expect(budget).toMatchObject({ spec: { maxUnavailable: 2 } });
    expect(budget?.metadata.ownerReferences).toEqual([owner]);
  }, PATIENCE);
  await runtime.close();
  await api.delete(CONFIG_MAP, { namespace, name: metadata.name });
  await vi.waitFor(async () => {
    const left = await Promise.all(MADE.map((kind) => world.all(kind)));
    expect(left.flat().map((one) => one.metadata.name)).toEqual([]);
  }, PATIENCE);
});

test('a second slice of the Service with the same Pod makes no second instance, and says no to one that was ready', async () => {
  const world = await runtimeWorld();
  const { runtime } = await world.open();
  await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1] });
  const ready = await become(runtime, 'Ready');
  const { namespace, api } = world;
  const slice = (name: string, service: string, host: string, conditions: object) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace,
      labels: { ...labelsOf(MANAGER, V1), 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    ports: [{ name: 'requests', port: 8080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: [host],
        conditions,
        targetRef: { kind: 'Pod', name: host === ready.address.host ? ready.id : 'another', namespace },
      },
    ],
  });
  const { host } = ready.address;
  const ours = objectName(MANAGER, V1);
  await api.create(ENDPOINT_SLICE, { namespace }, slice('elsewhere', 'elsewhere', '10.244.250.9', {}));
  await api.create(ENDPOINT_SLICE, { namespace }, slice('same', ours, host, {}));
  await api.create(ENDPOINT_SLICE, { namespace }, slice('old', ours, host, { ready: false }));
  const unready = await become(runtime, 'Unready');
  expect(unready.id).toBe(ready.id);
  expect(runtime.instances(MANAGER)).toHaveLength(1);
  await api.delete(ENDPOINT_SLICE, { namespace, name: 'old' });
  await become(runtime, 'Ready');
  expect(runtime.instances(MANAGER)).toHaveLength(1);
});
