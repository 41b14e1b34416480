/** The store contract over a SQLite file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/adapters/sqlite/store.ts';
import type { Store } from '../../src/ports/store.ts';
import { type MakeStore, storeContract } from './store.ts';
import { storeHistoryContract } from './store-history.ts';
import { type Reopening, storeReopenedContract } from './store-reopened.ts';
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

async function makeFolder(): Promise<Reopening> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-store-'));
  const opened: Store[] = [];
  return {
    async open() {
      const store = await openSqliteStore({ file: join(folder, 'state.db') });
      opened.push(store);
      return store;
    },
    async remove() {
      for (const store of opened) await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
storeReopenedContract('SQLite', makeFolder, { historySurvives: true });
