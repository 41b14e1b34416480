// The store contract over custom resources at a real API server, and that a record is what it was after the server had it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SERVICE_ROUTING } from '../../../src/adapters/kubernetes/custom-resources.ts';
import { routingObject, routingOf } from '../../../src/adapters/kubernetes/store/routing-object.ts';
import { openKubernetesStore } from '../../../src/adapters/kubernetes/store/store.ts';
import { serviceName } from '../../../src/model/names.ts';
import { kubernetesObjectsContract } from '../../contract/kubernetes-objects.ts';
import { type MakeStore, storeContract } from '../../contract/store.ts';
import { storeHistoryContract } from '../../contract/store-history.ts';
import { storeReopenedContract } from '../../contract/store-reopened.ts';
import { storeWatchersContract } from '../../contract/store-watchers.ts';
import { anyServiceRecord } from '../../support/any-records.ts';
import { reopeningOf } from '../../support/kubernetes/reopening.ts';
import { stateNamespace } from '../../support/kubernetes/state-namespace.ts';
import { anySteps, walk } from '../../support/kubernetes/store-walk.ts';
import { leaderOptions } from '../../support/kubernetes/stores.ts';
import { full, seed } from '../../support/seed.ts';

const makeStore: MakeStore = async (options) => {
  const { objects } = await stateNamespace();
  const store = await openKubernetesStore({ ...leaderOptions(objects), ...options });
  return { store, remove: () => store.close() };
};
kubernetesObjectsContract('a real API server', async () => (await stateNamespace()).objects);
storeContract('Kubernetes', makeStore);
storeHistoryContract('Kubernetes', makeStore);
storeWatchersContract('Kubernetes', makeStore);
storeReopenedContract('Kubernetes', async () => reopeningOf((await stateNamespace()).objects), {
  historySurvives: false,
});

describe('a real API server', () => {
  test('gives back every record as it was sent', async () => {
    const { objects } = await stateNamespace();
    const { signal } = new AbortController();
    const stamp = { term: 1, writeId: 'a' };
    await fc.assert(
      fc.asyncProperty(anyServiceRecord, async (any) => {
        const record = { ...any, name: serviceName('manager') };
        const sent = routingObject({ record, publication: 0, together: [] }, stamp);
        const made = await objects.create(SERVICE_ROUTING, sent, { signal });
        const read = await objects.get<typeof sent>(SERVICE_ROUTING, 'manager', signal);
        await objects.delete(SERVICE_ROUTING, { name: 'manager', uid: made.metadata.uid ?? '' }, signal);
        expect(routingOf(read).record).toEqual(routingOf(sent).record);
        expect(routingOf(made).record).toEqual(routingOf(sent).record);
      }),
      { numRuns: full() ? 1_000 : 60, seed: seed() },
    );
  });

  test('holds each change whole or not at all after a crash at any request, and what was acknowledged', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, async (steps) => walk((await stateNamespace()).objects, steps)),
      { numRuns: full() ? 60 : 5, seed: seed() },
    );
  });
});
