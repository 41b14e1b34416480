/** What every store that outlives its process holds after it was closed and opened again; history only where it says so. */
import { afterEach, describe, expect, test } from 'vitest';
import { instant } from '../../src/model/instant.ts';
import { serviceName } from '../../src/model/names.ts';
import type { Roll } from '../../src/model/parity.ts';
import type { Store } from '../../src/ports/store.ts';
import {
  measurement,
  recordWith,
  rolloutRecord,
  trafficCount,
  trafficCoverage,
} from '../support/stored-history.ts';
import { newEvent, proxySeen, serviceRecord } from '../support/stored-records.ts';
import { watcherSeen } from '../support/watchers.ts';

/** A place that a store is opened on again and again, each time after the one before was closed. */
export interface Reopening {
  readonly open: () => Promise<Store>;
  readonly remove: () => Promise<void>;
}

/**
 * Runs the suite over one adapter. `historySurvives`: events, measurements, counts and rollouts that services are not at any
 * more are there again. Where they are not, the adapter tells them to an observer, and there is nothing in their place.
 */
export function storeReopenedContract(
  adapter: string,
  makePlace: () => Promise<Reopening>,
  { historySurvives }: { readonly historySurvives: boolean },
): void {
  const places: Reopening[] = [];
  async function place(): Promise<Reopening> {
    const made = await makePlace();
    places.push(made);
    return made;
  }
  afterEach(async () => {
    for (const { remove } of places.splice(0)) await remove();
  });
  /** What a store holds after one life of it. */
  async function after(life: (store: Store) => Promise<unknown>): Promise<Store> {
    const { open } = await place();
    const store = await open();
    await life(store);
    await store.close();
    return open();
  }
  const ever = { from: instant(0), to: instant(1e15) };
  const first = rolloutRecord({ generation: 1 });
  const ended = { ...first, state: 'Aborted', stateReason: 'Superseded', endedAt: instant(9) } as const;
  const next = rolloutRecord({ version: 'v3', generation: 2 });

  describe(`a ${adapter} store that was closed and opened again`, () => {
    test('holds what was recorded, and gives no publication number twice', async () => {
      const store = await after(async (life) => {
        await life.commit({
          services: [serviceRecord({ name: 'b' }), serviceRecord({ name: 'a' })],
          nextPublication: 70,
        });
        await life.commit({ services: [serviceRecord({ name: 'b', generation: 2 })] });
        await life.commit({ deletions: [{ name: serviceName('a'), generation: 1 }] });
        await life.saveProxies([proxySeen({ id: 'gateway', lastSeen: 5, publication: 4 })]);
      });
      const { services, nextPublication, proxies, everWritten } = await store.load();
      expect(services).toEqual([serviceRecord({ name: 'b', generation: 2 })]);
      expect(nextPublication).toBeGreaterThanOrEqual(70);
      expect(proxies).toEqual([proxySeen({ id: 'gateway', lastSeen: 5, publication: 4 })]);
      expect(everWritten).toBe(true);
    });

    test('was never written where nothing was, although proxies were seen', async () => {
      const store = await after((life) => life.saveProxies([proxySeen({ id: 'gateway' })]));
      expect((await store.load()).everWritten).toBe(false);
    });

    test('was written where all of it was deleted again', async () => {
      const store = await after(async (life) => {
        await life.commit({ services: [serviceRecord({ name: 'a' })] });
        await life.commit({ deletions: [{ name: serviceName('a'), generation: 1 }] });
      });
      expect(await store.load()).toMatchObject({ services: [], everWritten: true });
    });

    test('holds watchers, and the roll and the record of the rollout that a service is at', async () => {
      const roll: Roll = { kind: 'counted', fixedAt: instant(6), tenants: [] };
      const store = await after(async (life) => {
        await life.commit({ services: [recordWith(first)], rolls: [{ rollout: first.id, roll }] });
        await life.saveWatchers({ saved: [watcherSeen()], forgotten: [] });
      });
      expect(await store.watchers()).toEqual([watcherSeen()]);
      expect(await store.roll(first.id)).toEqual(roll);
      expect(await store.rollouts({ limit: 5 })).toEqual([first]);
    });

    test('numbers new events above all that it ever numbered', async () => {
      const store = await after((life) =>
        life.commit({ events: [newEvent({ action: 'A' }), newEvent({ action: 'B' })] }),
      );
      const [event] = await store.commit({ events: [newEvent({ action: 'C' })] });
      expect(event?.sequence).toBeGreaterThan(2);
      expect((await store.events({ limit: 5, newest: true })).at(-1)).toEqual(event);
    });

    test(`${historySurvives ? 'holds' : 'does not hold'} what is history`, async () => {
      const counts = [trafficCount()];
      const coverage = trafficCoverage(0, 10);
      const store = await after(async (life) => {
        await life.commit({ services: [recordWith(first)], events: [newEvent({ action: 'A' })] });
        await life.commit({ services: [recordWith(next, 2)], rollouts: [ended] });
        await life.appendMeasurements([measurement(next.id, 1)]);
        await life.saveTraffic(counts);
        await life.saveCoverage(coverage);
      });
      const held = {
        events: (await store.events({ limit: 5 })).map(({ action }) => action),
        rollouts: await store.rollouts({ limit: 5 }),
        measurements: await store.measurements(next.id),
        counts: await store.traffic({ service: serviceName('manager'), ...ever }),
        coverage: await store.coverage(ever),
      };
      expect(held).toEqual(
        historySurvives
          ? {
              events: ['A'],
              rollouts: [next, ended],
              measurements: [measurement(next.id, 1)],
              counts,
              coverage: [coverage],
            }
          : { events: [], rollouts: [next], measurements: [], counts: [], coverage: [] },
      );
    });
  });
}
