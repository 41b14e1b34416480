/**
 * What every store must do, whatever it writes to. One suite for all adapters, so that a controller need not know
 * which one it has.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { instant } from '../../src/model/instant.ts';
import { serviceName } from '../../src/model/names.ts';
import { GenerationConflictError, type Store } from '../../src/ports/store.ts';
import { newEvent, proxySeen, serviceRecord } from '../support/stored-records.ts';

/** How the suite gets a fresh, empty store that keeps at most so many events and measurements. */
export type MakeStore = (options: {
  eventsKept: number;
  measurementsKept: number;
}) => Promise<{ store: Store; remove: () => Promise<void> }>;

const manager = serviceName('manager');

/** Runs the suite over one adapter. */
export function storeContract(adapter: string, makeStore: MakeStore): void {
  const removals: (() => Promise<void>)[] = [];
  async function emptyStore(eventsKept = 1000): Promise<Store> {
    const made = await makeStore({ eventsKept, measurementsKept: 1000 });
    removals.push(made.remove);
    return made.store;
  }
  afterEach(async () => {
    for (const remove of removals.splice(0)) await remove();
  });

  describe(`a ${adapter} store: state`, () => {
    test('an empty store has no services and was never written', async () => {
      const store = await emptyStore();
      expect(await store.load()).toEqual({
        services: [],
        nextPublication: 1,
        proxies: [],
        everWritten: false,
      });
    });

    test('what was committed is loaded again, services sorted by name', async () => {
      const store = await emptyStore();
      const records = [serviceRecord({ name: 'zeta' }), serviceRecord({ name: 'alpha' })];
      await store.commit({ services: records, nextPublication: 7 });
      expect(await store.load()).toEqual({
        services: [records[1], records[0]],
        nextPublication: 7,
        proxies: [],
        everWritten: true,
      });
    });

    test('a caller that changes its object after the commit does not change what is stored', async () => {
      const store = await emptyStore();
      const record = serviceRecord({ name: 'manager' });
      const versions = [...record.versions];
      await store.commit({ services: [{ ...record, versions }] });
      versions.pop();
      expect((await store.load()).services[0]?.versions).toEqual(record.versions);
    });

    test('a deleted service is gone, and the same name begins again at generation 1', async () => {
      const store = await emptyStore();
      await store.commit({ services: [serviceRecord({ name: 'manager' })] });
      await store.commit({ deletions: [{ name: manager, generation: 1 }] });
      expect((await store.load()).services).toEqual([]);
      expect((await store.load()).everWritten).toBe(true);
      await store.commit({ services: [serviceRecord({ name: 'manager', generation: 1 })] });
      expect((await store.load()).services).toHaveLength(1);
    });

    test('an empty commit is accepted and does not count as written', async () => {
      const store = await emptyStore();
      expect(await store.commit({})).toEqual([]);
      expect((await store.load()).everWritten).toBe(false);
    });

    test('a commit with nothing but an event counts as written', async () => {
      const store = await emptyStore();
      await store.commit({ events: [newEvent({ action: 'AcceptEmpty' })] });
      expect((await store.load()).everWritten).toBe(true);
    });
  });

  describe(`a ${adapter} store: generations`, () => {
    test.each([
      { stored: 0, written: 2, actual: 0 },
      { stored: 0, written: 0, actual: 0 },
      { stored: 2, written: 2, actual: 2 },
      { stored: 2, written: 1, actual: 2 },
      { stored: 2, written: 4, actual: 2 },
    ])(
      'generation $written over $stored is refused, with both values',
      async ({ stored, written, actual }) => {
        const store = await emptyStore();
        for (let generation = 1; generation <= stored; generation++) {
          await store.commit({ services: [serviceRecord({ name: 'manager', generation })] });
        }
        const before = await store.load();
        const refused = store.commit({ services: [serviceRecord({ name: 'manager', generation: written })] });
        await expect(refused).rejects.toThrow(GenerationConflictError);
        await expect(refused).rejects.toMatchObject({ service: manager, expected: written - 1, actual });
        expect(await store.load()).toEqual(before);
      },
    );

    test('a deletion for another generation is refused', async () => {
      const store = await emptyStore();
      await store.commit({ services: [serviceRecord({ name: 'manager' })] });
      const refused = store.commit({ deletions: [{ name: manager, generation: 3 }] });
      await expect(refused).rejects.toMatchObject({
        name: 'GenerationConflictError',
        expected: 3,
        actual: 1,
      });
      expect((await store.load()).services).toHaveLength(1);
    });

    test('the deletion of a service that is not stored is refused', async () => {
      const store = await emptyStore();
      await expect(store.commit({ deletions: [{ name: manager, generation: 1 }] })).rejects.toThrow(
        GenerationConflictError,
      );
      await expect(store.commit({ deletions: [{ name: manager, generation: 0 }] })).rejects.toThrow(
        /not stored/,
      );
    });

    test('a refused commit writes none of its parts', async () => {
      const store = await emptyStore();
      await store.commit({ services: [serviceRecord({ name: 'manager' })] });
      const before = await store.load();
      const refused = store.commit({
        services: [serviceRecord({ name: 'other' }), serviceRecord({ name: 'manager', generation: 9 })],
        nextPublication: 50,
        events: [newEvent({ action: 'Flip' })],
      });
      await expect(refused).rejects.toThrow(GenerationConflictError);
      expect(await store.load()).toEqual(before);
      expect(await store.events({ limit: 10 })).toEqual([]);
    });

    test('a commit that names a service twice is refused', async () => {
      const store = await emptyStore();
      const record = serviceRecord({ name: 'manager' });
      await expect(store.commit({ services: [record, record] })).rejects.toThrow(/manager only once/);
    });

    test('of writers that race from one generation, one wins and the others are told', async () => {
      const store = await emptyStore();
      await store.commit({ services: [serviceRecord({ name: 'manager' })] });
      const racers = Array.from({ length: 8 }, (_, racer) =>
        store.commit({
          services: [serviceRecord({ name: 'manager', generation: 2, document: `racer ${racer}` })],
        }),
      );
      const outcomes = await Promise.allSettled(racers);
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost.every((outcome) => outcome.reason instanceof GenerationConflictError)).toBe(true);
    });

    test('the next publication never goes down', async () => {
      const store = await emptyStore();
      await store.commit({ nextPublication: 12 });
      await expect(store.commit({ nextPublication: 11 })).rejects.toThrow(/at least 12, not 11/);
      expect((await store.load()).nextPublication).toBe(12);
    });
  });

  describe(`a ${adapter} store: events`, () => {
    test('events are numbered without gaps from 1, also across refused commits', async () => {
      const store = await emptyStore();
      const first = await store.commit({ events: [newEvent({ action: 'A' }), newEvent({ action: 'B' })] });
      await expect(store.commit({ nextPublication: 0, events: [newEvent({ action: 'C' })] })).rejects.toThrow(
        /at least 1, not 0/,
      );
      const second = await store.commit({ events: [newEvent({ action: 'D' })] });
      expect([...first, ...second].map(({ sequence, action }) => `${sequence} ${action}`)).toEqual([
        '1 A',
        '2 B',
        '3 D',
      ]);
    });

    test('a read event is the committed one, in every field', async () => {
      const store = await emptyStore();
      const event = newEvent({
        action: 'Flip',
        service: 'manager',
        at: 1_700_000_000_123,
        before: '{"a":1}',
        after: 'ü\n"',
      });
      const written = await store.commit({ events: [event] });
      expect(written).toEqual([{ ...event, sequence: 1 }]);
      expect(await store.events({ limit: 5 })).toEqual(written);
    });

    test('a query chooses by service, sequence, limit and end', async () => {
      const store = await emptyStore();
      const services = ['a', 'b', 'a', 'a', 'b', undefined];
      await store.commit({ events: services.map((service, at) => newEvent({ action: 'X', service, at })) });
      const sequences = async (query: Parameters<Store['events']>[0]) =>
        (await store.events(query)).map(({ sequence }) => sequence);
      expect(await sequences({ limit: 10 })).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await sequences({ limit: 2 })).toEqual([1, 2]);
      expect(await sequences({ limit: 2, newest: true })).toEqual([5, 6]);
      expect(await sequences({ limit: 10, service: serviceName('a') })).toEqual([1, 3, 4]);
      expect(await sequences({ limit: 2, service: serviceName('a'), newest: true })).toEqual([3, 4]);
      expect(await sequences({ limit: 10, service: serviceName('a'), afterSequence: 1 })).toEqual([3, 4]);
      expect(await sequences({ limit: 1, afterSequence: 2, newest: true })).toEqual([6]);
      expect(await sequences({ limit: 10, afterSequence: 6 })).toEqual([]);
    });

    test('a query with a limit or a sequence that makes no sense is refused', async () => {
      const store = await emptyStore();
      await expect(store.events({ limit: 0 })).rejects.toThrow(/limit must be .* not 0/);
      await expect(store.events({ limit: 1, afterSequence: -1 })).rejects.toThrow(
        /afterSequence must be .* not -1/,
      );
    });

    test('only the newest events are kept, and their numbers go on', async () => {
      const store = await emptyStore(3);
      for (let at = 0; at < 5; at++) await store.commit({ events: [newEvent({ action: 'X', at })] });
      expect((await store.events({ limit: 10 })).map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
      await store.commit({ events: Array.from({ length: 7 }, (_, at) => newEvent({ action: 'Y', at })) });
      expect((await store.events({ limit: 10 })).map(({ sequence }) => sequence)).toEqual([10, 11, 12]);
    });
  });

  describe(`a ${adapter} store: proxies and the end`, () => {
    test('saved proxies replace the list before, and do not count as written', async () => {
      const store = await emptyStore();
      await store.saveProxies([proxySeen({ id: 'b' }), proxySeen({ id: 'a', lastSeen: 5 })]);
      await store.saveProxies([proxySeen({ id: 'c' }), proxySeen({ id: 'a', lastSeen: 9, publication: 4 })]);
      const { proxies, everWritten } = await store.load();
      expect(proxies).toEqual([proxySeen({ id: 'a', lastSeen: 9, publication: 4 }), proxySeen({ id: 'c' })]);
      expect(proxies[0]?.lastSeen).toBe(instant(9));
      expect(everWritten).toBe(false);
    });

    test('a list that names a proxy twice is refused', async () => {
      const store = await emptyStore();
      const twice = [proxySeen({ id: 'a', lastSeen: 1 }), proxySeen({ id: 'a', lastSeen: 2 })];
      await expect(store.saveProxies(twice)).rejects.toThrow(/"a" twice/);
    });

    test('a closed store says so, and closing twice is fine', async () => {
      const store = await emptyStore();
      await store.close();
      await store.close();
      await expect(store.load()).rejects.toThrow(/closed/);
      await expect(store.commit({ nextPublication: 2 })).rejects.toThrow(/closed/);
      await expect(store.events({ limit: 1 })).rejects.toThrow(/closed/);
      await expect(store.saveProxies([])).rejects.toThrow(/closed/);
    });
  });
}
