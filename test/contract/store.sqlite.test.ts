/** The store contract over a SQLite file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/adapters/sqlite/store.ts';
import { type MakeStore, storeContract } from './store.ts';
import { storeHistoryContract } from './store-history.ts';
import { storeWatchersContract } from './store-watchers.ts';

const makeStore: MakeStore = async (options) => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-store-'));
  const store = await openSqliteStore({ file: join(folder, 'state.db'), ...options });
  return {
    store,
    remove: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
};
storeContract('SQLite', makeStore);
storeHistoryContract('SQLite', makeStore);
storeWatchersContract('SQLite', makeStore);
