/** The store contract over a SQLite file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/adapters/sqlite/store.ts';
import { storeContract } from './store.ts';

storeContract('SQLite', async ({ eventsKept }) => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-store-'));
  const store = await openSqliteStore({ file: join(folder, 'state.db'), eventsKept });
  return {
    store,
    remove: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});
