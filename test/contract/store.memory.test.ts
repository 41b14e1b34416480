/** The store contract over memory. */
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../src/adapters/memory/store.ts';
import { type MakeStore, storeContract } from './store.ts';
import { storeHistoryContract } from './store-history.ts';
import { storeWatchersContract } from './store-watchers.ts';

const makeStore: MakeStore = async (options) => ({
  store: createMemoryStore(options),
  remove: async () => {},
});
storeContract('memory', makeStore);
storeHistoryContract('memory', makeStore);
storeWatchersContract('memory', makeStore);

test('a memory store refuses a backup, for nothing could be restored from it', async () => {
  await expect(createMemoryStore().backup('anywhere')).rejects.toThrow(/in memory only/);
});
