// What Kubernetes refuses, what is missing, and who may not write: told, and nothing of it lost.
import { describe, expect, test, vi } from 'vitest';
import {
  CONTROLLER_REVISION,
  DEPLOYMENT,
  POD,
  SERVICE,
} from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type Kind, type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { objectName } from '../../../src/adapters/kubernetes/names.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { podSpec, type RuntimeWorld, runtimeWorld } from '../../support/kubernetes/runtime-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const V2 = versionName('v2');
const NAME = objectName(MANAGER, V1);
const PATIENCE = { timeout: 30_000, interval: 50 };
const QUOTA: Kind = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  scope: 'Namespaced',
};

function create(
  { api, namespace }: RuntimeWorld,
  kind: Kind,
  name: string,
  content: object,
): Promise<unknown> {
  return api.create(
    kind,
    { namespace },
    {
      apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
      kind: kind.kind,
      metadata: { name, namespace },
      ...content,
    },
  );
}

/** A quota counts when its controller has looked. */
async function quota(world: RuntimeWorld, hard: Readonly<Record<string, string>>): Promise<void> {
  await create(world, QUOTA, 'small', { spec: { hard } });
  await vi.waitFor(async () => {
    const place = { namespace: world.namespace, name: 'small' };
    const now = await world.api.get<KubernetesObject & { status?: { hard?: object } }>(QUOTA, place);
    expect(now.status?.hard).toEqual(hard);
  }, PATIENCE);
}

describe('what is refused is told', () => {
  test('a Pod by a quota', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime } = await world.open();
    await quota(world, { pods: '0' });
    await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1] });
    await vi.waitFor(() => {
      expect(runtime.problems(MANAGER)).toEqual([
        expect.stringMatching(`^v1: Deployment ${NAME}: FailedCreate: .*exceeded quota: small`),
      ]);
    }, PATIENCE);
    expect(runtime.instances(MANAGER)).toEqual([]);
  });

  test('a Deployment by a quota, until there is room; and the rest is made all the same', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime, caches } = await world.open();
    await quota(world, { 'count/deployments.apps': '0' });
    await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1] });
    await vi.waitFor(() => {
      expect(runtime.problems(MANAGER)).toEqual([expect.stringMatching('^v1: .*exceeded quota: small')]);
      expect(caches.budgets.of(MANAGER)).toHaveLength(1);
    }, PATIENCE);
    await world.api.delete(QUOTA, { namespace: world.namespace, name: 'small' });
    await vi.waitFor(() => expect(caches.deployments.of(MANAGER)).toHaveLength(1), PATIENCE);
    await vi.waitFor(() => expect(runtime.problems(MANAGER)).toEqual([]), PATIENCE);
  });

  test.each([
    ['has a port that is none', { ports: [{ containerPort: 0 }] }, 'containerPort'],
    ['has a field that Kubernetes does not know', { readinesProbe: {} }, 'readinesProbe: field not declared'],
  ])('a template that %s', async (_, of, said) => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime } = await world.open();
    const template = { spec: { containers: [{ name: 'manager', image: 'a', ...of }] } };
    const spec = podSpec({ pods: { kind: 'template', template } });
    await runtime.want({ service: MANAGER, spec, versions: [V1] });
    await vi.waitFor(() => {
      expect(runtime.problems(MANAGER)).toEqual([expect.stringMatching(`^v1: .*${said}`)]);
    }, PATIENCE);
  });

  test('a Pod that finds no node, once for all of its kind', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime, caches } = await world.open();
    await runtime.want({ service: MANAGER, spec: podSpec({ replicas: 2 }), versions: [V1] });
    await vi.waitFor(() => expect(caches.pods.of(MANAGER)).toHaveLength(2), PATIENCE);
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
    ];
    for (const { metadata } of caches.pods.of(MANAGER)) {
      await world.api.json({
        method: 'PATCH',
        path: pathOf(POD, { namespace: world.namespace, name: metadata.name, subresource: 'status' }),
        body: { status: { conditions } },
        contentType: 'application/strategic-merge-patch+json',
      });
    }
    await vi.waitFor(() => {
      expect(runtime.problems(MANAGER)).toEqual([
        expect.stringMatching('^v1: Pod .* and 1 more: Unschedulable: 0/3 nodes are available$'),
      ]);
    }, PATIENCE);
  });
});

describe('a Deployment to be copied', () => {
  const labels = { app: 'manager' };
  const copied = podSpec({
    pods: { kind: 'deployment', name: 'existing', images: { manager: 'manager:${version}' } },
  });
  const existing = {
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels, team: 'a' } },
        spec: { containers: [{ name: 'manager', image: 'manager:1.4.2' }] },
      },
    },
  };

  test('is waited for, copied, and read no more', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime, caches } = await world.open();
    await runtime.want({ service: MANAGER, spec: copied, versions: [V1] });
    await vi.waitFor(() => {
      expect(runtime.problems(MANAGER)).toEqual([
        `v1: there is no Deployment existing in ${world.namespace}, whose Pod template spec.runtime.kubernetes.deployment wants to be copied`,
      ]);
    }, PATIENCE);
    await create(world, DEPLOYMENT, 'existing', existing);
    await vi.waitFor(() => expect(caches.deployments.of(MANAGER)).toHaveLength(1), PATIENCE);
    expect(caches.deployments.of(MANAGER)[0]?.spec.template).toMatchObject({
      metadata: { labels: { team: 'a', 'switchyard.dev/version': 'v1' } },
      spec: { containers: [{ name: 'manager', image: 'manager:v1' }] },
    });
    expect(caches.deployments.of(MANAGER)[0]?.spec.template).not.toHaveProperty('metadata.labels.app');
    await world.api.delete(DEPLOYMENT, { namespace: world.namespace, name: 'existing' });
    await world.api.delete(DEPLOYMENT, { namespace: world.namespace, name: NAME });
    await vi.waitFor(async () => {
      expect((await world.all(DEPLOYMENT)).map(({ metadata }) => metadata.name)).toEqual([NAME]);
    }, PATIENCE);
  });

  test('must have the containers that get images', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime } = await world.open();
    await create(world, DEPLOYMENT, 'existing', existing);
    const pods = { kind: 'deployment' as const, name: 'existing', images: { web: 'web:${version}' } };
    await runtime.want({ service: MANAGER, spec: podSpec({ pods }), versions: [V1] });
    await vi.waitFor(() => {
      expect(runtime.problems(MANAGER)).toEqual([
        'v1: Deployment existing has no container web, which spec.runtime.kubernetes.deployment.images gives an image',
      ]);
    }, PATIENCE);
  });

  test('must have a port of the name', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime } = await world.open();
    await create(world, DEPLOYMENT, 'existing', existing);
    await runtime.want({ service: MANAGER, spec: { ...copied, port: 'http' }, versions: [V1] });
    await vi.waitFor(() => {
      expect(runtime.problems(MANAGER)).toEqual([
        'v1: no container has a port named "http" (none has a name): write its number in spec.runtime.kubernetes.port',
      ]);
    }, PATIENCE);
  });
});

test('a Service of somebody else that selects the Pods of a version is told', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const { runtime, caches } = await world.open();
  const template = {
    metadata: { labels: { app: 'manager' } },
    spec: { containers: [{ name: 'manager', image: 'a' }] },
  };
  await runtime.want({
    service: MANAGER,
    spec: podSpec({ pods: { kind: 'template', template } }),
    versions: [V1],
  });
  await vi.waitFor(() => expect(caches.deployments.of(MANAGER)).toHaveLength(1), PATIENCE);
  expect(runtime.problems(MANAGER)).toEqual([]);
  await create(world, SERVICE, 'all', { spec: { selector: { app: 'manager' }, ports: [{ port: 80 }] } });
  await vi.waitFor(() => {
    expect(runtime.problems(MANAGER)).toEqual([expect.stringMatching('^v1: Service all selects its Pods')]);
  }, PATIENCE);
});

describe('a replica that does not lead', () => {
  test('writes nothing, sees everything, and puts all right when it leads', async () => {
    const world = await runtimeWorld();
    let isLeader = false;
    const { runtime, caches } = await world.open({ isLeader: () => isLeader });
    const asked = world.api.asked.length;
    await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1] });
    await runtime.settled();
    expect(world.api.asked.slice(asked)).toEqual([]);
    isLeader = true;
    runtime.leadershipChanged();
    await vi.waitFor(() => expect(runtime.instances(MANAGER)[0]?.state).toBe('Ready'), PATIENCE);
    isLeader = false;
    const before = world.api.asked.slice(asked);
    expect(before.length).toBeGreaterThan(0);
    await runtime.want({ service: MANAGER, spec: podSpec(), versions: [] });
    const name = caches.pods.of(MANAGER)[0]?.metadata.name ?? '';
    await world.api.delete(POD, { namespace: world.namespace, name });
    await vi.waitFor(() => {
      const [instance] = runtime.instances(MANAGER);
      expect(instance).toMatchObject({ state: 'Ready' });
      expect(instance?.id).not.toBe(name);
    }, PATIENCE);
    expect(world.api.asked.slice(asked + before.length)).toEqual([
      expect.stringMatching(`^DELETE .*/pods/${name}$`),
    ]);
    expect(runtime.problems(MANAGER)).toEqual([]);
    isLeader = true;
    runtime.leadershipChanged();
    await vi.waitFor(() => expect(runtime.instances(MANAGER)).toEqual([]), PATIENCE);
  });
});

test('a service that is forgotten while it is being made leaves nothing', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const { runtime } = await world.open();
  const asked = world.api.asked.length;
  await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1] });
  const making = expect.stringMatching(`^PATCH .*/deployments/${NAME}$`);
  await vi.waitFor(() => expect(world.api.asked.slice(asked)).toContainEqual(making), {
    ...PATIENCE,
    interval: 1,
  });
  await runtime.forget(MANAGER);
  await vi.waitFor(async () => {
    const paths = world.api.asked.slice(asked);
    expect(paths).toContainEqual(expect.stringMatching(`^DELETE .*/deployments/${NAME}$`));
    for (const kind of [DEPLOYMENT, SERVICE, CONTROLLER_REVISION]) expect(await world.all(kind)).toEqual([]);
    expect(runtime.services()).toEqual([]);
  }, PATIENCE);
});

test('a version in the middle of being deleted, which is wished again, comes back when it is gone', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const { runtime, caches } = await world.open();
  await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1, V2] });
  await vi.waitFor(() => expect(caches.pods.of(MANAGER)).toHaveLength(2), PATIENCE);
  const uid = caches.deployments.of(MANAGER).find(({ metadata }) => metadata.name === NAME)?.metadata.uid;
  // In the foreground it stays until its Pods are gone, and none of them is ended here but by force.
  await world.api.delete(
    DEPLOYMENT,
    { namespace: world.namespace, name: NAME },
    { propagation: 'Foreground' },
  );
  await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V2] });
  await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1, V2] });
  await vi.waitFor(() => {
    const now = caches.deployments.of(MANAGER).find(({ metadata }) => metadata.name === NAME);
    expect(now?.metadata.deletionTimestamp).toBeUndefined();
    expect(now?.metadata.uid).toEqual(expect.any(String));
    expect(now?.metadata.uid).not.toBe(uid);
  }, PATIENCE);
  expect(runtime.problems(MANAGER)).toEqual([]);
});
