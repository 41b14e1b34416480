/** One replica after the other on the same objects: each leads in the next term of the Lease. */
import type { Objects } from '../../../src/adapters/kubernetes/store/objects.ts';
import { openKubernetesStore } from '../../../src/adapters/kubernetes/store/store.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { Reopening } from '../../contract/store-reopened.ts';
import { leaderOptions } from './stores.ts';

export function reopeningOf(objects: Objects): Reopening {
  const opened: Store[] = [];
  return {
    async open() {
      const store = await openKubernetesStore(leaderOptions(objects, { term: opened.length }));
      opened.push(store);
      return store;
    },
    async remove() {
      for (const store of opened) await store.close();
    },
  };
}
