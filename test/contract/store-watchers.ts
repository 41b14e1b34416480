/** What every store must do with the watchers of the delegates' boxes, and with the rolls of rollouts. */
import { afterEach, describe, expect, test } from 'vitest';
import { instant } from '../../src/model/instant.ts';
import { serviceName, tenantName } from '../../src/model/names.ts';
import type { Roll } from '../../src/model/parity.ts';
import type { Store } from '../../src/ports/store.ts';
import { rolloutRecord } from '../support/stored-history.ts';
import { serviceRecord } from '../support/stored-records.ts';
import { boxId, watcherSeen } from '../support/watchers.ts';
import type { MakeStore } from './store.ts';

const manager = serviceName('manager');

/** Runs the suite over one adapter. */
export function storeWatchersContract(adapter: string, makeStore: MakeStore): void {
  const removals: (() => Promise<void>)[] = [];
  async function storeOfManager(): Promise<Store> {
    const made = await makeStore({ eventsKept: 10, measurementsKept: 10 });
    removals.push(made.remove);
    await made.store.commit({ services: [serviceRecord({ name: 'manager' })] });
    return made.store;
  }
  afterEach(async () => {
    for (const remove of removals.splice(0)) await remove();
  });

  describe(`a ${adapter} store: watchers`, () => {
    test('there are none at first', async () => {
      expect(await (await storeOfManager()).watchers()).toEqual([]);
    });

    test('what was saved is read again, sorted, and only what changes is replaced', async () => {
      const store = await storeOfManager();
      const [one, two] = [watcherSeen({ id: 'a' }), watcherSeen({ id: 'b' })];
      await store.saveWatchers({ saved: [two, one], forgotten: [] });
      const newer = watcherSeen({ id: 'b', tenant: 'globex', lastSeen: 2_000 });
      await store.saveWatchers({ saved: [newer], forgotten: [] });
      expect(await store.watchers()).toEqual([one, newer]);
    });

    test('a forgotten box is gone; one that was never known is no fault', async () => {
      const store = await storeOfManager();
      await store.saveWatchers({ saved: [watcherSeen({ id: 'a' })], forgotten: [] });
      const forgotten = [
        { service: manager, id: boxId('a') },
        { service: manager, id: boxId('never') },
      ];
      await store.saveWatchers({ saved: [], forgotten });
      expect(await store.watchers()).toEqual([]);
    });

    test('boxes of a service that is not stored are dropped, and those of a deleted one go with it', async () => {
      const store = await storeOfManager();
      await store.commit({ services: [serviceRecord({ name: 'other' })] });
      const other = watcherSeen({ id: 'a', service: 'other' });
      const saved = [watcherSeen({ id: 'a' }), other, watcherSeen({ id: 'a', service: 'unknown' })];
      await store.saveWatchers({ saved, forgotten: [] });
      await store.commit({ deletions: [{ name: manager, generation: 1 }] });
      expect(await store.watchers()).toEqual([other]);
      await store.commit({ services: [serviceRecord({ name: 'manager' })] });
      expect(await store.watchers()).toEqual([other]);
    });

    test('a box that is named twice, or could not be read back, is refused, and nothing is written', async () => {
      const store = await storeOfManager();
      const seen = watcherSeen({ id: 'a' });
      const twice = store.saveWatchers({ saved: [seen], forgotten: [{ service: manager, id: boxId('a') }] });
      await expect(twice).rejects.toThrow(/watcher manager a twice/);
      const broken = { ...seen, report: { ...seen.report, applied: -1 } };
      const refused = store.saveWatchers({ saved: [watcherSeen({ id: 'b' }), broken], forgotten: [] });
      await expect(refused).rejects.toThrow(/report.applied is -1/);
      expect(await store.watchers()).toEqual([]);
    });

    test('saving watchers does not count as written', async () => {
      const made = await makeStore({ eventsKept: 10, measurementsKept: 10 });
      removals.push(made.remove);
      await made.store.saveWatchers({ saved: [watcherSeen()], forgotten: [] });
      expect((await made.store.load()).everWritten).toBe(false);
    });

    test('a closed store says so', async () => {
      const store = await storeOfManager();
      await store.close();
      await expect(store.watchers()).rejects.toThrow(/closed/);
      await expect(store.saveWatchers({ saved: [], forgotten: [] })).rejects.toThrow(/closed/);
    });
  });

  describe(`a ${adapter} store: rolls`, () => {
    const named: Roll = {
      kind: 'named',
      fixedAt: instant(5),
      boxes: [{ delegate: boxId('a'), tenant: tenantName('acme') }],
    };
    const counted: Roll = {
      kind: 'counted',
      fixedAt: instant(6),
      tenants: [{ tenant: tenantName('acme'), count: 3 }],
    };
    const rollout = rolloutRecord({});
    const withRollout = { ...serviceRecord({ name: 'manager', generation: 2 }), rollout };

    test('a roll is kept with its rollout, in the commit that fixed it, and a later one replaces it', async () => {
      const store = await storeOfManager();
      expect(await store.roll(rollout.id)).toBeUndefined();
      await store.commit({ services: [withRollout], rolls: [{ rollout: rollout.id, roll: named }] });
      expect(await store.roll(rollout.id)).toEqual(named);
      await store.commit({ rolls: [{ rollout: rollout.id, roll: counted }] });
      expect(await store.roll(rollout.id)).toEqual(counted);
    });

    test('that of an unknown rollout is dropped, and that of a deleted service goes with it', async () => {
      const store = await storeOfManager();
      await store.commit({ rolls: [{ rollout: rollout.id, roll: named }] });
      expect(await store.roll(rollout.id)).toBeUndefined();
      await store.commit({ services: [withRollout], rolls: [{ rollout: rollout.id, roll: named }] });
      await store.commit({ deletions: [{ name: manager, generation: 2 }] });
      expect(await store.roll(rollout.id)).toBeUndefined();
    });

    test('what could not be read back is refused with the whole commit', async () => {
      const store = await storeOfManager();
      const broken = { ...counted, tenants: [{ tenant: tenantName('acme'), count: -1 }] };
      const refused = store.commit({
        services: [withRollout],
        rolls: [{ rollout: rollout.id, roll: broken }],
      });
      await expect(refused).rejects.toThrow(/roll of .*count is -1/);
      expect((await store.load()).services[0]?.generation).toBe(1);
    });
  });
}
