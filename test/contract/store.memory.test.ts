/** The store contract over memory. */
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../src/adapters/memory/store.ts';
import { storeContract } from './store.ts';

storeContract('memory', async ({ eventsKept }) => ({
  store: createMemoryStore({ eventsKept }),
  remove: async () => {},
}));

test('a memory store refuses a backup, for nothing could be restored from it', async () => {
  await expect(createMemoryStore().backup('anywhere')).rejects.toThrow(/in memory only/);
});
