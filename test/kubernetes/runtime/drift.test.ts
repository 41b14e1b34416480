// What somebody changes or deletes by hand is put right; what another program applies is left to it and told; and where all is
// as it should be nobody is asked anything.
import { describe, expect, test, vi } from 'vitest';
import {
  CONTROLLER_REVISION,
  DEPLOYMENT,
  DISRUPTION_BUDGET,
  SERVICE,
} from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type Kind, type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { objectName } from '../../../src/adapters/kubernetes/names.ts';
import type { Deployment } from '../../../src/adapters/kubernetes/runtime/objects.ts';
import type { KubernetesRuntimeSpec } from '../../../src/model/kubernetes.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import {
  container,
  type Opened,
  podSpec,
  type RuntimeWorld,
  runtimeWorld,
} from '../../support/kubernetes/runtime-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const NAME = objectName(MANAGER, V1);
const PATIENCE = { timeout: 20_000, interval: 50 };

interface Made extends RuntimeWorld, Opened {}

/** A version with all its objects, and a server that knows of no Pods. */
async function made(spec: KubernetesRuntimeSpec = podSpec()): Promise<Made> {
  const world = await runtimeWorld({ hasNode: false });
  const opened = await world.open();
  await opened.runtime.want({ service: MANAGER, spec, versions: [V1] });
  await vi.waitFor(() => {
    const { deployments, services, budgets, revisions } = opened.caches;
    for (const index of [deployments, services, budgets, revisions])
      expect(index.of(MANAGER)).toHaveLength(1);
  }, PATIENCE);
  return { ...world, ...opened };
}

/** A change as kubectl makes it. */
function patch(
  { api, namespace }: RuntimeWorld,
  kind: Kind,
  body: unknown,
  { manager = 'kubectl-edit', contentType = 'application/strategic-merge-patch+json' } = {},
): Promise<unknown> {
  const path = pathOf(kind, { namespace, name: NAME });
  return api.json({ method: 'PATCH', path, query: { fieldManager: manager }, body, contentType });
}

function deploymentOf({ caches }: Made): Deployment {
  const [deployment] = caches.deployments.of(MANAGER);
  if (deployment === undefined) throw new Error('there is no Deployment');
  return deployment;
}

interface PodTemplate {
  readonly spec: {
    readonly containers: readonly { readonly image: string; readonly env: readonly { name: string }[] }[];
  };
}

function podOf(world: Made): PodTemplate['spec'] {
  return (deploymentOf(world).spec.template as unknown as PodTemplate).spec;
}

describe('an object that is deleted by hand', () => {
  test.each([
    ['Deployment', DEPLOYMENT],
    ['Service', SERVICE],
    ['PodDisruptionBudget', DISRUPTION_BUDGET],
    ['ControllerRevision', CONTROLLER_REVISION],
  ] as const)('comes back: a %s', async (_, kind) => {
    const world = await made();
    const before = await world.api.get<KubernetesObject>(kind, { namespace: world.namespace, name: NAME });
    await world.api.delete(kind, { namespace: world.namespace, name: NAME });
    await vi.waitFor(async () => {
      const [again] = await world
        .all(kind)
        .then((all) => all.filter(({ metadata }) => metadata.name === NAME));
      expect(again).toBeDefined();
      expect(again?.metadata.uid).not.toBe(before.metadata.uid);
    }, PATIENCE);
    expect(world.runtime.problems(MANAGER)).toEqual([]);
  });

  test('comes back as it was made, also where the spec says something else by now', async () => {
    const world = await made();
    const changed = podSpec({ port: 9090, replicas: 3 }, container({ image: 'other:${version}' }));
    await world.runtime.want({ service: MANAGER, spec: changed, versions: [V1] });
    await vi.waitFor(() => expect(deploymentOf(world).spec.replicas).toBe(3), PATIENCE);
    for (const kind of [CONTROLLER_REVISION, DEPLOYMENT, SERVICE])
      await world.api.delete(kind, { namespace: world.namespace, name: NAME });
    await vi.waitFor(() => expect(podOf(world).containers[0]?.image).toBe('none:v1'), PATIENCE);
    await vi.waitFor(() => {
      const [service] = world.caches.services.of(MANAGER);
      expect(service?.spec).toMatchObject({ ports: [{ port: 8080, targetPort: 8080 }] });
    }, PATIENCE);
    expect(world.runtime.problems(MANAGER)).toEqual([
      'v1 keeps the Pods and the port of the spec before: a version never changes, and the next one gets the new ones',
    ]);
  });
});

describe('an object that is changed by hand', () => {
  test.each([
    [
      'scaled',
      { spec: { replicas: 5 } },
      (world: Made) => deploymentOf(world).spec.replicas,
      1,
      'kubectl-scale',
    ],
    [
      'given another image',
      { spec: { template: { spec: { containers: [{ name: 'manager', image: 'bad:1' }] } } } },
      (world: Made) => podOf(world).containers[0]?.image,
      'none:v1',
      'kubectl-set',
    ],
    [
      'given another variable',
      {
        spec: {
          template: { spec: { containers: [{ name: 'manager', env: [{ name: 'ADDED', value: 'a' }] }] } },
        },
      },
      (world: Made) => podOf(world).containers[0]?.env.map(({ name }) => name),
      ['POD_IP', 'VERSION'],
      'kubectl-edit',
    ],
    [
      'given another container',
      { spec: { template: { spec: { containers: [{ name: 'added', image: 'a' }] } } } },
      (world: Made) => podOf(world).containers.length,
      1,
      'kubectl-edit',
    ],
    [
      'taken the labels of',
      { metadata: { labels: { 'app.kubernetes.io/managed-by': 'somebody' } } },
      (world: Made) => world.caches.deployments.of(MANAGER).length,
      1,
      'kubectl-label',
    ],
  ] as const)('is put right: a Deployment that is %s', async (_, body, look, right, manager) => {
    const world = await made();
    const { generation, resourceVersion } = deploymentOf(world).metadata;
    await patch(world, DEPLOYMENT, body, { manager });
    await vi.waitFor(async () => {
      const now = await world.api.get<Deployment>(DEPLOYMENT, { namespace: world.namespace, name: NAME });
      expect(now.metadata.resourceVersion).not.toBe(resourceVersion);
      expect(deploymentOf(world).metadata.resourceVersion).toBe(now.metadata.resourceVersion);
      expect(look(world)).toEqual(right);
    }, PATIENCE);
    if (manager !== 'kubectl-label') expect(deploymentOf(world).metadata.generation).not.toBe(generation);
    expect(world.runtime.problems(MANAGER)).toEqual([]);
  });

  test('may have its Pods restarted, as kubectl does it', async () => {
    const world = await made();
    const asked = world.api.asked.length;
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-11-30T03:00:00Z' };
    await patch(
      world,
      DEPLOYMENT,
      { spec: { template: { metadata: { annotations } } } },
      { manager: 'kubectl-rollout' },
    );
    await vi.waitFor(() => {
      expect(deploymentOf(world).spec.template['metadata']).toMatchObject({ annotations });
    }, PATIENCE);
    await world.runtime.want({ service: MANAGER, spec: podSpec({ maxUnavailable: 2 }), versions: [V1] });
    await vi.waitFor(
      () => expect(world.caches.budgets.of(MANAGER)[0]).toMatchObject({ spec: { maxUnavailable: 2 } }),
      PATIENCE,
    );
    expect(deploymentOf(world).spec.template['metadata']).toMatchObject({ annotations });
    // The restart alone.
    const written = world.api.asked.slice(asked).filter((one) => one.includes('/deployments/'));
    expect(written).toEqual([expect.stringMatching('^PATCH ')]);
  });
});

describe('what another program applies', () => {
  const applied = async (world: Made, spec: unknown): Promise<void> => {
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: NAME }, spec };
    const path = pathOf(DEPLOYMENT, { namespace: world.namespace, name: NAME });
    const query = { fieldManager: 'argocd', force: true };
    const contentType = 'application/apply-patch+yaml';
    await world.api.json({ method: 'PATCH', path, query, body: object, contentType });
  };

  test('is left to it and told, until it takes that back', async () => {
    const world = await made();
    await applied(world, { replicas: 7 });
    const problem = `v1: Deployment ${NAME}: argocd applies .spec.replicas too: take these out of what it applies`;
    await vi.waitFor(() => expect(world.runtime.problems(MANAGER)).toEqual([problem]), PATIENCE);
    expect(deploymentOf(world).spec.replicas).toBe(7);
    await applied(world, {});
    await vi.waitFor(() => {
      expect(world.runtime.problems(MANAGER)).toEqual([]);
      expect(deploymentOf(world).spec.replicas).toBe(1);
    }, PATIENCE);
  });

  test('into its Pods is told too', async () => {
    const world = await made();
    const containers = [{ name: 'manager', env: [{ name: 'ADDED', value: 'a' }] }];
    await applied(world, { template: { spec: { containers } } });
    await vi.waitFor(() => {
      expect(world.runtime.problems(MANAGER)).toEqual([
        `v1: Deployment ${NAME}: argocd applies fields of its Pods: take these out of what it applies`,
      ]);
    }, PATIENCE);
  });
});

describe('where all is as it should be', () => {
  /** A change that concerns nobody, and that is heard of. */
  async function heardOf(world: Made, value: string): Promise<void> {
    await patch(world, DEPLOYMENT, { metadata: { annotations: { note: value } } });
    await vi.waitFor(
      () => expect(deploymentOf(world).metadata.annotations).toMatchObject({ note: value }),
      PATIENCE,
    );
  }
  /** The server writes half a CPU as 500m, and a gigabyte as it likes. */
  const odd = podSpec({}, container({ resources: { requests: { cpu: 0.5, memory: '1024Mi' } } }));

  test.each([
    ['', podSpec()],
    [', though the server writes values in its own way', odd],
  ])('nothing is asked%s', async (_, spec) => {
    const world = await made(spec);
    await heardOf(world, 'one');
    const asked = world.api.asked.length;
    await heardOf(world, 'two');
    await world.runtime.want({ service: MANAGER, spec, versions: [V1] });
    world.runtime.leadershipChanged();
    await heardOf(world, 'three');
    expect(world.api.asked.slice(asked)).toEqual([
      expect.stringMatching('^PATCH .*deployments'),
      expect.stringMatching('^PATCH .*deployments'),
    ]);
  });

  test('the next controller writes nothing', async () => {
    const world = await made();
    const { runtime, caches } = await world.open();
    const asked = world.api.asked.length;
    await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1] });
    await heardOf({ ...world, runtime, caches }, 'one');
    expect(world.api.asked.slice(asked)).toEqual([expect.stringMatching('^PATCH .*deployments')]);
  });
});
