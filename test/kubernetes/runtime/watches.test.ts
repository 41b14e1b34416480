// Watches that break off: told while they do, and what happened meanwhile is put right.
import { expect, test, vi } from 'vitest';
import { KubernetesApiError } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { DEPLOYMENT, POD } from '../../../src/adapters/kubernetes/client/kinds.ts';
import type { Kind, KubernetesObject } from '../../../src/adapters/kubernetes/client/objects.ts';
import type { Source } from '../../../src/adapters/kubernetes/client/reflector.ts';
import { objectName } from '../../../src/adapters/kubernetes/names.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { podSpec, runtimeWorld } from '../../support/kubernetes/runtime-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const NAME = objectName(MANAGER, V1);
const PATIENCE = { timeout: 30_000, interval: 50 };

test('what is not followed any more is told, until it is again', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const away = new AbortController();
  let isAway = false;
  const through = <Item extends KubernetesObject>(kind: Kind, source: Source<Item>): Source<Item> => ({
    list: (signal) => source.list(signal),
    async *watch(from, lasting, signal) {
      const isCut = kind === POD;
      if (isCut && isAway) throw new Error('the server is away');
      yield* source.watch(from, lasting, isCut ? AbortSignal.any([signal, away.signal]) : signal);
    },
  });
  const { runtime } = await world.open({ through });
  await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1] });
  expect(runtime.problems(MANAGER)).toEqual([]);
  isAway = true;
  away.abort();
  const told = 'pods are not followed: the server is away';
  await vi.waitFor(() => expect(runtime.problems(MANAGER)).toContain(told), PATIENCE);
});

test('where a watch is too old, everything is read anew, and what happened meanwhile is put right', async () => {
  const world = await runtimeWorld({ hasNode: false });
  const broken = new AbortController();
  let isBroken = false;
  const through = <Item extends KubernetesObject>(kind: Kind, source: Source<Item>): Source<Item> => ({
    list: (signal) => source.list(signal),
    async *watch(from, lasting, signal) {
      if (kind !== DEPLOYMENT || isBroken) return yield* source.watch(from, lasting, signal);
      try {
        yield* source.watch(from, lasting, AbortSignal.any([signal, broken.signal]));
      } catch (error) {
        if (!broken.signal.aborted || signal.aborted) throw error;
      }
      isBroken = true;
      // Nobody hears of this.
      await world.api.delete(DEPLOYMENT, { namespace: world.namespace, name: NAME });
      throw new KubernetesApiError({ code: 410, reason: 'Expired', message: 'too old resource version' });
    },
  });
  const { runtime, caches } = await world.open({ through });
  await runtime.want({ service: MANAGER, spec: podSpec(), versions: [V1] });
  await vi.waitFor(() => expect(caches.deployments.of(MANAGER)).toHaveLength(1), PATIENCE);
  const uid = caches.deployments.of(MANAGER)[0]?.metadata.uid;
  broken.abort();
  await vi.waitFor(() => {
    expect(caches.deployments.of(MANAGER)).toHaveLength(1);
    expect(caches.deployments.of(MANAGER)[0]?.metadata.uid).not.toBe(uid);
  }, PATIENCE);
  expect(runtime.problems(MANAGER)).toEqual([]);
});
