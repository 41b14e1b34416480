/** What every workflow store must do with leases of events: fencing, and two events of one execution. */
import { describe, expect, test } from 'vitest';
import type { EventId } from '../../../src/model/workflow.ts';
import { eventually } from '../../support/eventually.ts';
import { newEvent, step, worker } from '../../support/workflow/builders.ts';
import {
  applied,
  claimed,
  claimedOne,
  claimedSoon,
  existing,
  kinds,
  LONG,
  leaseOf,
  type MakeWorkflowDatabase,
  SHORT,
  started,
  worldOf,
} from './world.ts';

export function eventLeasesContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: leases of events`, () => {
    test('an event that is leased is not given to anybody else', async () => {
      const [one, two] = await world.stores();
      await started(one);
      await claimedOne(one);
      expect(await claimed(one)).toEqual([]);
      expect(await claimed(two)).toEqual([]);
    });

    test('a lease ends at the time that it says', async () => {
      const store = await world.store();
      await started(store);
      const before = await store.now();
      const { lease } = await claimedOne(store, { lease: LONG });
      expect(lease.until).toBeGreaterThanOrEqual(before + LONG);
      expect(lease.until).toBeLessThanOrEqual((await store.now()) + LONG);
    });

    test('an event whose lease has run out is due again, with a higher token and attempt', async () => {
      const [one, two] = await world.stores();
      await started(one);
      const first = await claimedOne(one, { lease: SHORT });
      const second = await claimedSoon(two);
      expect(second.lease.token).toBeGreaterThan(first.lease.token);
      expect(second.event).toEqual({ ...first.event, attempt: 2 });
      expect(await two.now()).toBeGreaterThanOrEqual(first.lease.until);
    });

    test('whoever comes with an older token is refused and changes nothing', async () => {
      const [one, two] = await world.stores();
      const { id } = await started(one);
      const first = await claimedOne(one, { lease: SHORT });
      const second = await claimedSoon(two);
      const late = { lease: leaseOf(first), worker: worker() };
      expect(await one.apply({ ...late, revision: 0, step: step({ data: 'late' }) })).toEqual({
        kind: 'LeaseLost',
      });
      expect(await one.giveBack({ ...late, delay: 0, error: 'late' })).toBe(false);
      expect(await one.renewEvents({ leases: [leaseOf(first), leaseOf(second)], lease: LONG })).toEqual([
        first.event.id,
      ]);
      expect(await existing(one, id)).toMatchObject({ revision: 0, data: { count: 0 } });
      await applied(two, second, { data: 'in time' });
      expect(await existing(one, id)).toMatchObject({ revision: 1, data: 'in time' });
    });

    test('a step that comes after the time of its lease counts, as long as nobody else has the event', async () => {
      const store = await world.store();
      const { id } = await started(store);
      const claim = await claimedOne(store, { lease: 1 });
      await eventually(async () => (await store.now()) > claim.lease.until);
      await applied(store, claim, { data: 'late' });
      expect((await existing(store, id)).data).toBe('late');
    });

    test('a lease that is renewed does not run out', async () => {
      const store = await world.store();
      await started(store);
      const claim = await claimedOne(store, { lease: SHORT });
      expect(await store.renewEvents({ leases: [leaseOf(claim)], lease: LONG })).toEqual([]);
      await eventually(async () => (await store.now()) > claim.lease.until);
      expect(await claimed(store)).toEqual([]);
      await applied(store, claim);
    });

    test('an event that is done cannot be renewed, given back, or applied again', async () => {
      const store = await world.store();
      const { id } = await started(store);
      const claim = await claimedOne(store);
      await applied(store, claim, { data: 'once' });
      const again = { lease: leaseOf(claim), worker: worker() };
      expect(await store.apply({ ...again, revision: 0, step: step({ data: 'twice' }) })).toEqual({
        kind: 'LeaseLost',
      });
      expect(await store.apply({ ...again, revision: 1, step: step({ data: 'twice' }) })).toEqual({
        kind: 'LeaseLost',
      });
      expect(await store.giveBack({ ...again, delay: 0, error: '' })).toBe(false);
      expect(await store.renewEvents({ leases: [leaseOf(claim)], lease: LONG })).toEqual([claim.event.id]);
      expect((await existing(store, id)).data).toBe('once');
      expect(await kinds(store, id)).toEqual(['Started', 'Stepped']);
    });

    test('an unknown event is a lost lease', async () => {
      const store = await world.store();
      const lease = { event: 'nothing' as EventId, token: 1 };
      expect(await store.apply({ lease, revision: 0, step: step(), worker: worker() })).toEqual({
        kind: 'LeaseLost',
      });
      expect(await store.giveBack({ lease, delay: 0, error: '', worker: worker() })).toBe(false);
      expect(await store.renewEvents({ leases: [lease], lease: LONG })).toEqual([lease.event]);
      expect(await store.revive(lease.event)).toBe(false);
    });
  });

  describe(`a ${adapter} workflow store: two events of one execution`, () => {
    test('the one that decided on an older revision is told the newer, and decides again under the same lease', async () => {
      const store = await world.store();
      const { id } = await started(store);
      await applied(store, await claimedOne(store), { events: [newEvent('A'), newEvent('B')] });
      const [a, b] = await claimed(store);
      if (a === undefined || b === undefined) throw new Error('two events were expected');
      await applied(store, a, { data: ['a'] });
      const conflict = await store.apply({
        lease: leaseOf(b),
        revision: b.execution.revision,
        step: step({ data: ['b'], events: [newEvent('Never')] }),
        worker: worker(),
      });
      expect(conflict).toEqual({ kind: 'Conflict', execution: await existing(store, id) });
      expect((await existing(store, id)).data).toEqual(['a']);
      const again = await store.apply({
        lease: leaseOf(b),
        revision: 2,
        step: step({ data: ['a', 'b'] }),
        worker: worker(),
      });
      expect(again).toEqual({ kind: 'Applied' });
      expect(await existing(store, id)).toMatchObject({ data: ['a', 'b'], revision: 3 });
      expect(await claimed(store)).toEqual([]);
    });

    test('of two clients that apply on one revision at once, one is told of a conflict', async () => {
      const [one, two] = await world.stores();
      await started(one);
      await applied(one, await claimedOne(one), { events: [newEvent('A'), newEvent('B')] });
      const [a, b] = await claimed(one);
      if (a === undefined || b === undefined) throw new Error('two events were expected');
      const outcomes = await Promise.all([
        one.apply({ lease: leaseOf(a), revision: 1, step: step(), worker: worker() }),
        two.apply({ lease: leaseOf(b), revision: 1, step: step(), worker: worker() }),
      ]);
      expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(['Applied', 'Conflict']);
    });
  });
}
