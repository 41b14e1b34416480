/** What every workflow store must answer of what it has, and what it prunes. */
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { tenantName } from '../../../src/model/names.ts';
import type { ExecutionId } from '../../../src/model/workflow.ts';
import { eventually } from '../../support/eventually.ts';
import { ACME, ending, V1, V2, worker } from '../../support/workflow/builders.ts';
import { applied, claimedOne, failed, line, type MakeWorkflowDatabase, started, worldOf } from './world.ts';

const BETA = tenantName('beta');
const NOBODY = 'nobody' as ExecutionId;

export function readingContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: reading and pruning`, () => {
    test('what is not there is undefined, or empty', async () => {
      const store = await world.store();
      expect(await store.execution(NOBODY)).toBeUndefined();
      expect(await store.history(NOBODY)).toEqual([]);
      expect(await store.openTasks(NOBODY)).toEqual([]);
      expect(await store.deadLetters({ limit: 10 })).toEqual([]);
      expect(await store.executions({ limit: 10 })).toEqual([]);
    });

    test('executions are read newest first, page by page, by tenant, version and state', async () => {
      const store = await world.store();
      await started(store, { name: 'one' });
      await started(store, { name: 'two', tenant: BETA });
      const three = await started(store, { name: 'three', version: V2 });
      const four = await failed(store, { name: 'four', version: V2, priority: 9 });
      const names = async (
        query: Omit<Parameters<typeof store.executions>[0], 'limit'> & { limit?: number },
      ) => (await store.executions({ limit: 10, ...query })).map(({ name }) => name);
      expect(await names({})).toHaveLength(4);
      expect(await names({ limit: 2 })).toEqual(['four', 'three']);
      expect(await names({ limit: 2, before: three.id })).toEqual(['two', 'one']);
      expect(await names({ tenant: BETA })).toEqual(['two']);
      expect(await names({ version: V2 })).toEqual(['four', 'three']);
      expect(await names({ version: V2, before: four.id })).toEqual(['three']);
      expect(await names({ state: 'Failed' })).toEqual(['four']);
      expect(await names({ state: 'Running', tenant: ACME, version: V1 })).toEqual(['one']);
    });

    test('the oldest open executions of a version are read oldest first', async () => {
      const store = await world.store();
      await failed(store);
      const ids = [await started(store), await started(store), await started(store)].map(({ id }) => id);
      await started(store, { version: V2 });
      const open = await store.oldestOpen(V1, 2);
      expect(open.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    });

    test('what somebody has asked to run again is not pruned before it has', async () => {
      const store = await world.store();
      const { id } = await failed(store);
      await store.command({ execution: id, kind: 'Retry', payload: null, by: 'ada', worker: worker() });
      const before = instant((await store.now()) + 60_000);
      expect(await store.prune({ before, limit: 10 })).toBe(0);
      await applied(store, await claimedOne(store), ending());
      expect(await store.prune({ before, limit: 10 })).toBe(1);
    });

    test('what has ended before a time is pruned with its history and its key, at most so many at a time', async () => {
      const store = await world.store();
      const running = await started(store, { version: V2 });
      for (const idempotencyKey of ['a', 'b', 'c']) await failed(store, { idempotencyKey });
      const ended = (await store.executions({ state: 'Failed', limit: 10 })).map(({ id }) => id);
      expect(await store.prune({ before: running.startedAt, limit: 10 })).toBe(0);
      const before = await eventually(async () => {
        const now = await store.now();
        const last = Math.max(...(await store.executions({ limit: 10 })).map(({ updatedAt }) => updatedAt));
        return now > last ? now : undefined;
      });
      expect(await store.prune({ before, limit: 2 })).toBe(2);
      expect(await store.prune({ before, limit: 2 })).toBe(1);
      expect((await store.executions({ limit: 10 })).map(({ id }) => id)).toEqual([running.id]);
      for (const id of ended) expect(await store.history(id)).toEqual([]);
      await started(store, { idempotencyKey: 'a' });
    });

    test('the store tells a time that goes on', async () => {
      const [one, two] = await world.stores();
      const first = await one.now();
      const second = await eventually(async () => {
        const now = await two.now();
        return now > first ? now : undefined;
      });
      expect(second).toBeGreaterThan(instant(first));
      expect((await line(one, (await started(one)).id, 'Started')).at).toBeGreaterThanOrEqual(second);
    });

    test('a store that was closed refuses calls', async () => {
      const store = await world.store();
      await store.close();
      await expect(store.now()).rejects.toThrow(/closed/);
    });
  });
}
