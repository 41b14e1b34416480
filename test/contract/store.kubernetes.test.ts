/** The store contract over custom resources at a simulated API server; test/kubernetes/store has it over a real one. */
import { openKubernetesStore } from '../../src/adapters/kubernetes/store/store.ts';
import { reopeningOf } from '../support/kubernetes/reopening.ts';
import { SimulatedServer } from '../support/kubernetes/simulated-server.ts';
import { leaderOptions } from '../support/kubernetes/stores.ts';
import { type MakeStore, storeContract } from './store.ts';
import { storeHistoryContract } from './store-history.ts';
import { storeReopenedContract } from './store-reopened.ts';
import { storeWatchersContract } from './store-watchers.ts';

const makeStore: MakeStore = async (options) => {
  const store = await openKubernetesStore({
    ...leaderOptions(new SimulatedServer().connect()),
    ...options,
  });
  return { store, remove: () => store.close() };
};
storeContract('Kubernetes', makeStore);
storeHistoryContract('Kubernetes', makeStore);
storeWatchersContract('Kubernetes', makeStore);
storeReopenedContract('Kubernetes', async () => reopeningOf(new SimulatedServer().connect()), {
  historySurvives: false,
});
