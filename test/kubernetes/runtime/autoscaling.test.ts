// With an autoscaler the number of Pods is its own, and no change from one way to the other takes Pods away.
import { expect, test, vi } from 'vitest';
import { AUTOSCALER, DEPLOYMENT } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { objectName } from '../../../src/adapters/kubernetes/names.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { podSpec, runtimeWorld } from '../../support/kubernetes/runtime-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const NAME = objectName(MANAGER, V1);
const PATIENCE = { timeout: 40_000, interval: 50 };

test('a version with a fixed number gets an autoscaler, and back, without losing Pods', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const { runtime, caches } = await world.open();
  const replicas = (): number | undefined => caches.deployments.of(MANAGER)[0]?.spec.replicas;
  const seen: (number | undefined)[] = [];
  caches.subscribe(() => {
    if (seen.at(-1) !== replicas()) seen.push(replicas());
  });
  await runtime.want({ service: MANAGER, spec: podSpec({ replicas: 3 }), versions: [V1] });
  await vi.waitFor(() => expect(replicas()).toBe(3), PATIENCE);

  const scaled = podSpec({ replicas: 3, autoscaling: { min: 2, max: 9, cpuPercent: 80 } });
  await runtime.want({ service: MANAGER, spec: scaled, versions: [V1] });
  await vi.waitFor(() => expect(caches.autoscalers.of(MANAGER)).toHaveLength(1), PATIENCE);
  const spec = caches.autoscalers.of(MANAGER)[0]?.spec;
  expect(spec).toMatchObject({ minReplicas: 2, maxReplicas: 9, scaleTargetRef: { name: NAME } });

  // As the autoscaler does it.
  await world.api.json({
    method: 'PATCH',
    path: pathOf(DEPLOYMENT, { namespace: world.namespace, name: NAME, subresource: 'scale' }),
    query: { fieldManager: 'kube-controller-manager' },
    body: { spec: { replicas: 5 } },
    contentType: 'application/merge-patch+json',
  });
  await vi.waitFor(() => expect(replicas()).toBe(5), PATIENCE);
  // A change of another field leaves the number alone.
  await runtime.want({ service: MANAGER, spec: { ...scaled, maxUnavailable: 2 }, versions: [V1] });
  await vi.waitFor(
    () => expect(caches.budgets.of(MANAGER)[0]).toMatchObject({ spec: { maxUnavailable: 2 } }),
    PATIENCE,
  );
  expect(replicas()).toBe(5);

  await runtime.want({ service: MANAGER, spec: podSpec({ replicas: 4 }), versions: [V1] });
  await vi.waitFor(() => expect(replicas()).toBe(4), PATIENCE);
  await vi.waitFor(() => expect(caches.autoscalers.of(MANAGER)).toEqual([]), PATIENCE);
  expect(seen.filter((number) => number !== undefined)).toEqual([3, 5, 4]);
  expect(runtime.problems(MANAGER)).toEqual([]);
});

test('a new version with an autoscaler comes to have its fewest Pods', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const { runtime, caches } = await world.open();
  const spec = podSpec({ autoscaling: { min: 3, max: 9, cpuPercent: 80 } });
  await runtime.want({ service: MANAGER, spec, versions: [V1] });
  await vi.waitFor(() => expect(caches.deployments.of(MANAGER)[0]?.spec.replicas).toBe(3), PATIENCE);
});

test('an autoscaler of somebody else has the number to itself, and is told', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const { runtime, caches } = await world.open();
  const { namespace } = world;
  await runtime.want({ service: MANAGER, spec: podSpec({ replicas: 2 }), versions: [V1] });
  await vi.waitFor(() => expect(caches.deployments.of(MANAGER)).toHaveLength(1), PATIENCE);
  await world.api.create(
    AUTOSCALER,
    { namespace },
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'by-hand', namespace },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: NAME },
        minReplicas: 4,
        maxReplicas: 6,
      },
    },
  );
  await vi.waitFor(() => {
    expect(runtime.problems(MANAGER)).toEqual([
      expect.stringMatching('^v1: HorizontalPodAutoscaler by-hand scales its Deployment'),
    ]);
    expect(caches.deployments.of(MANAGER)[0]?.spec.replicas).toBe(4);
  }, PATIENCE);
  await world.api.delete(AUTOSCALER, { namespace, name: 'by-hand' });
  await vi.waitFor(() => {
    expect(runtime.problems(MANAGER)).toEqual([]);
    expect(caches.deployments.of(MANAGER)[0]?.spec.replicas).toBe(2);
  }, PATIENCE);
});
