// The API server or its etcd dies and comes back: changes are refused meanwhile, followers show what they had, and afterwards
// everything goes on from what was acknowledged.
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import { NAMESPACE } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { StoreUnavailableError } from '../../../src/adapters/kubernetes/store/errors.ts';
import { serverObjects } from '../../../src/adapters/kubernetes/store/objects.ts';
import { type Cluster, startCluster } from '../../support/kubernetes/cluster.ts';
import { followedView } from '../../support/kubernetes/routing-views.ts';
import { installStateKinds } from '../../support/kubernetes/state-namespace.ts';
import { openedStore } from '../../support/kubernetes/stores.ts';
import { notRun } from '../../support/not-run.ts';
import { serviceRecord } from '../../support/stored-records.ts';

const record = (generation: number) => serviceRecord({ name: 'manager', generation });
const beta = (generation: number) => serviceRecord({ name: 'beta', generation });
const soon = { timeout: 60_000, interval: 50 };

let cluster: Cluster | { readonly missing: string };
let api: KubernetesApi;
beforeAll(async () => {
  cluster = await startCluster();
  if ('missing' in cluster) return;
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  api = new KubernetesApi(config);
  await installStateKinds({ api, namespace: 'default', kubeconfig: cluster.kubeconfig });
});
afterAll(async () => {
  if (!('missing' in cluster)) await cluster.stop();
});

/** A leader and a follower in a namespace of their own. */
async function world(namespace: string) {
  if ('missing' in cluster) return notRun('tests with a real Kubernetes API server', cluster.missing);
  await api.create(NAMESPACE, {}, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const { store } = await openedStore(serverObjects(api, namespace), { patience: 6_000 });
  await store.commit({ services: [record(1), beta(1)] });
  const { view, shown } = followedView({ api, namespace });
  await view.start();
  await vi.waitFor(() => expect(shown.at(-1)).toEqual(['beta 1', 'manager 1']), soon);
  return { cluster, store, view, shown };
}

/** Commits until one is taken, of whatever generation is then stored. */
async function committedAgain(store: Awaited<ReturnType<typeof world>>['store']): Promise<number> {
  return vi.waitFor(async () => {
    const { services } = await store.load();
    const next = (services.find(({ name }) => name === 'manager')?.generation ?? 0) + 1;
    await store.commit({ services: [record(next)] });
    return next;
  }, soon);
}

describe.each(['apiServer', 'etcd'] as const)('where the %s is killed', (part) => {
  test('changes are refused in time, the follower shows what it had, and both go on afterwards', async () => {
    const { cluster: running, store, view, shown } = await world(`${part.toLowerCase()}-away`);
    await running[part].kill();
    const began = performance.now();
    await expect(store.commit({ services: [record(2)] })).rejects.toThrow(StoreUnavailableError);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(view.isSynced).toBe(true);
    expect(shown.at(-1)).toEqual(['beta 1', 'manager 1']);
    await running[part].start();
    const generation = await committedAgain(store);
    expect([2, 3]).toContain(generation);
    await vi.waitFor(() => expect(shown.at(-1)).toEqual(['beta 1', `manager ${generation}`]), soon);
  });

  test('in the middle of changes, what was acknowledged is there, and no change is half', async () => {
    const { cluster: running, store, shown } = await world(`${part.toLowerCase()}-dies`);
    let acknowledged = 1;
    let failed = false;
    const writing = (async () => {
      while (!failed) {
        try {
          await store.commit({ services: [record(acknowledged + 1), beta(acknowledged + 1)] });
          acknowledged += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(StoreUnavailableError);
          failed = true;
        }
      }
    })();
    await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(4), soon);
    await running[part].kill();
    await writing;
    await running[part].start();
    const { services } = await vi.waitFor(() => store.load(), soon);
    const [one, other] = services.map(({ generation }) => generation);
    expect(one).toBe(other);
    expect([acknowledged, acknowledged + 1]).toContain(one);
    const generation = await committedAgain(store);
    await vi.waitFor(
      () => expect(shown.at(-1)).toEqual([`beta ${generation - 1}`, `manager ${generation}`]),
      soon,
    );
    for (const [left, right] of shown.slice(0, -1)) expect(left?.split(' ')[1]).toBe(right?.split(' ')[1]);
  });
});
