/** In which order every workflow store must give out events, and how tenants share it. */
import { describe, expect, test } from 'vitest';
import { tenantName } from '../../../src/model/names.ts';
import { type WorkflowStore } from '../../../src/ports/workflow-store.ts';
import { ACME, newEvent, newTask, V1, V2 } from '../../support/workflow/builders.ts';
import { applied, claimed, claimedOne, type MakeWorkflowDatabase, started, worldOf } from './world.ts';

const BETA = tenantName('beta');

export function eventOrderContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: the order of events`, () => {
    test('within a tenant the higher priority goes first, then the older event', async () => {
      const store = await world.store();
      await started(store, { name: 'a', priority: 1 });
      await started(store, { name: 'b', priority: 9 });
      await started(store, { name: 'c', priority: 5 });
      await started(store, { name: 'd', priority: 9 });
      const names: string[] = [];
      for (let index = 0; index < 4; index += 1)
        names.push((await claimedOne(store, { limit: 1 })).execution.name);
      expect(names).toEqual(['b', 'd', 'c', 'a']);
    });

    test('a claim has at most its limit, and over several versions the best of all', async () => {
      const store = await world.store();
      await started(store, { name: 'a', version: V1, priority: 3 });
      await started(store, { name: 'b', version: V2, priority: 4 });
      await started(store, { name: 'c', version: V1, priority: 5 });
      const claims = await claimed(store, { versions: [V2, V1], limit: 2 });
      expect(claims.map(({ execution }) => execution.name)).toEqual(['c', 'b']);
      expect(await claimed(store, { limit: 0 })).toEqual([]);
    });

    test('ids of events rise in the order in which they were appended', async () => {
      const store = await world.store();
      await started(store);
      await applied(store, await claimedOne(store), {
        events: Array.from({ length: 120 }, (_, index) => newEvent(`E${index}`)),
      });
      const claims = await claimed(store, { limit: 200 });
      const ids = claims.map(({ event }) => event.id);
      const rising = ids.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
      expect(ids).toEqual(rising);
      expect(claims.map(({ event }) => event.kind)).toEqual(
        Array.from({ length: 120 }, (_, index) => `E${index}`),
      );
    });
  });

  describe(`a ${adapter} workflow store: fairness between tenants`, () => {
    const MANY = 10_000;
    /** Tenant acme with 10,000 events of the highest priority, all older than the one of tenant beta. */
    async function crowded(store: WorkflowStore): Promise<void> {
      await started(store, { priority: 9, name: 'crowd' });
      await applied(store, await claimedOne(store), {
        events: Array.from({ length: MANY }, () => newEvent('Next')),
      });
      await started(store, { tenant: BETA, priority: 0, name: 'alone' });
    }

    test('one claim of a few events has the only one of the other tenant among them', async () => {
      const store = await world.store();
      await crowded(store);
      const claims = await claimed(store, { limit: 3 });
      expect(claims.map(({ event }) => event.tenant).toSorted()).toEqual([ACME, ACME, BETA]);
    });

    test('of two claims of one event, one is that of the other tenant', async () => {
      const store = await world.store();
      await crowded(store);
      const tenants = [await claimedOne(store, { limit: 1 }), await claimedOne(store, { limit: 1 })].map(
        ({ event }) => event.tenant,
      );
      expect(tenants).toContain(BETA);
    });

    test('what waits for a delegate, a time or a lease does not keep others waiting either', async () => {
      const store = await world.store();
      await started(store, { priority: 9 });
      await applied(store, await claimedOne(store), {
        events: Array.from({ length: 1000 }, () => newEvent('Timer', { delay: 60_000 })),
        tasks: Array.from({ length: 1000 }, (_, index) => newTask(`t${index}`)),
      });
      await started(store, { tenant: BETA, priority: 0 });
      expect((await claimedOne(store)).event.tenant).toBe(BETA);
    });

    test('tenants take turns', async () => {
      const store = await world.store();
      const tenants = ['a', 'b', 'c'].map((name) => tenantName(name));
      for (const tenant of tenants)
        for (let index = 0; index < 4; index += 1) await started(store, { tenant });
      const turns = [];
      for (let index = 0; index < 4; index += 1) {
        turns.push((await claimed(store, { limit: 3 })).map(({ event }) => event.tenant).toSorted());
      }
      expect(turns).toEqual([tenants, tenants, tenants, tenants]);
    });
  });
}
