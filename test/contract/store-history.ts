/** What every store must do with rollouts, measurements and counts of requests, whatever it writes to. */
import { afterEach, describe, expect, test } from 'vitest';
import { instant } from '../../src/model/instant.ts';
import type { MeasuredOutcome } from '../../src/model/measurement.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { RolloutId } from '../../src/model/rollout.ts';
import { KEPT_ROLLOUTS, type Store, TRAFFIC_KEPT } from '../../src/ports/store.ts';
import {
  measurement,
  recordWith,
  rolloutRecord,
  trafficCount,
  trafficCoverage,
} from '../support/stored-history.ts';
import { serviceRecord } from '../support/stored-records.ts';
import type { MakeStore } from './store.ts';

const manager = serviceName('manager');
const HOUR = 3_600_000;

/** Runs the suite over one adapter. */
export function storeHistoryContract(adapter: string, makeStore: MakeStore): void {
  const removals: (() => Promise<void>)[] = [];
  async function emptyStore(measurementsKept = 1000): Promise<Store> {
    const made = await makeStore({ eventsKept: 1000, measurementsKept });
    removals.push(made.remove);
    return made.store;
  }
  afterEach(async () => {
    for (const remove of removals.splice(0)) await remove();
  });
  const idsOf = async (store: Store, service?: string) =>
    (
      await store.rollouts({ limit: 1000, ...(service !== undefined && { service: serviceName(service) }) })
    ).map(({ id }) => id);

  describe(`a ${adapter} store: rollouts`, () => {
    test('a rollout is kept as it was last committed with its service', async () => {
      const store = await emptyStore();
      const first = rolloutRecord({ version: 'v2' });
      const ended = { ...first, state: 'Succeeded', endedAt: instant(5) } as const;
      await store.commit({ services: [recordWith(first, 1)] });
      await store.commit({ services: [recordWith(ended, 2)] });
      expect(await store.rollouts({ limit: 10 })).toEqual([ended]);
      expect((await store.load()).services[0]?.rollout).toEqual(ended);
    });

    test('rollouts are read newest first, by service, id and limit', async () => {
      const store = await emptyStore();
      const records = [
        rolloutRecord({ service: 'manager', version: 'v2', generation: 1 }),
        rolloutRecord({ service: 'other', version: 'v9', generation: 1 }),
        rolloutRecord({ service: 'manager', version: 'v3', generation: 2 }),
      ];
      const [v2, v9, v3] = records;
      if (v2 === undefined || v9 === undefined || v3 === undefined) throw new Error('three rollouts');
      await store.commit({ services: [recordWith(v2, 1)] });
      await store.commit({ services: [recordWith(v9, 1)] });
      await store.commit({ services: [recordWith(v3, 2)] });
      // A retry is the same rollout: its place stays.
      await store.commit({ services: [recordWith({ ...v9, attempt: 2 }, 2)] });
      expect(await idsOf(store)).toEqual([v3.id, v9.id, v2.id]);
      expect(await idsOf(store, 'manager')).toEqual([v3.id, v2.id]);
      expect(await store.rollouts({ limit: 1 })).toEqual([v3]);
      expect(await store.rollouts({ id: v9.id, limit: 5 })).toEqual([{ ...v9, attempt: 2 }]);
      expect(await store.rollouts({ id: v9.id, service: manager, limit: 5 })).toEqual([]);
      await expect(store.rollouts({ limit: 0 })).rejects.toThrow(/limit must be .* not 0/);
    });

    test('a service without a rollout has none, and keeps those that it had', async () => {
      const store = await emptyStore();
      const rollout = rolloutRecord({});
      await store.commit({ services: [recordWith(rollout, 1)] });
      await store.commit({ services: [serviceRecord({ name: 'manager', generation: 2 })] });
      expect((await store.load()).services[0]).not.toHaveProperty('rollout');
      expect(await store.rollouts({ limit: 10 })).toEqual([rollout]);
    });

    test('a rollout that made way for another within one change is kept as it ended', async () => {
      const store = await emptyStore();
      const first = rolloutRecord({ version: 'v2', generation: 1 });
      const ended = { ...first, state: 'Aborted', stateReason: 'Superseded', endedAt: instant(7) } as const;
      const next = rolloutRecord({ version: 'v3', generation: 2 });
      await store.commit({ services: [recordWith(first, 1)] });
      await store.commit({ services: [recordWith(next, 2)], rollouts: [ended] });
      expect(await store.rollouts({ limit: 10 })).toEqual([next, ended]);
    });

    test("a record with another service's rollout is refused", async () => {
      const store = await emptyStore();
      const wrong = { ...recordWith(rolloutRecord({ service: 'other' })), name: manager };
      await expect(store.commit({ services: [wrong] })).rejects.toThrow(/manager has a rollout of other/);
      expect(await idsOf(store)).toEqual([]);
    });

    test('a deleted service takes its rollouts, measurements and counts along, and no others', async () => {
      const store = await emptyStore();
      const [mine, theirs] = [rolloutRecord({}), rolloutRecord({ service: 'other' })];
      await store.commit({ services: [recordWith(mine), recordWith(theirs)] });
      await store.appendMeasurements([measurement(mine.id, 1), measurement(theirs.id, 1)]);
      const counts = [trafficCount(), trafficCount({ service: serviceName('other') })];
      await store.saveTraffic(counts);
      await store.commit({ deletions: [{ name: manager, generation: 1 }] });
      expect(await idsOf(store)).toEqual([theirs.id]);
      expect(await store.measurements(mine.id)).toEqual([]);
      expect(await store.measurements(theirs.id)).toHaveLength(1);
      const ever = { from: instant(0), to: instant(1e15) };
      expect(await store.traffic({ service: manager, ...ever })).toEqual([]);
      expect(await store.traffic({ service: serviceName('other'), ...ever })).toEqual([counts[1]]);
    });

    test(`of each service the newest ${KEPT_ROLLOUTS} rollouts are kept, with their measurements`, async () => {
      const store = await emptyStore();
      const other = rolloutRecord({ service: 'other' });
      await store.commit({ services: [recordWith(other)] });
      const ids: RolloutId[] = [];
      for (let generation = 1; generation <= KEPT_ROLLOUTS + 2; generation++) {
        const rollout = rolloutRecord({ generation });
        await store.commit({ services: [recordWith(rollout, generation)] });
        await store.appendMeasurements([measurement(rollout.id, 1)]);
        ids.push(rollout.id);
      }
      const kept = ids.slice(2).toReversed();
      expect(await idsOf(store, 'manager')).toEqual(kept);
      expect(await idsOf(store, 'other')).toEqual([other.id]);
      const measured = await Promise.all(ids.map(async (id) => (await store.measurements(id)).length));
      expect(measured).toEqual(ids.map((_, index) => (index < 2 ? 0 : 1)));
    });
  });

  describe(`a ${adapter} store: measurements`, () => {
    test('they are read back in every field, in the order in which they were added', async () => {
      const store = await emptyStore();
      const { id } = rolloutRecord({});
      await store.commit({ services: [recordWith(rolloutRecord({}))] });
      const outcomes: readonly MeasuredOutcome[] = [
        { kind: 'NoData', reason: 'no series' },
        { kind: 'Error', reason: 'Prometheus did not answer' },
        { kind: 'Data', data: { kind: 'value', candidate: -3.5 } },
        {
          kind: 'Data',
          data: {
            kind: 'histogram',
            candidate: [
              { upTo: 0.5, count: 3 },
              { upTo: null, count: 1 },
            ],
          },
        },
        { kind: 'Data', data: { kind: 'answer', answer: 'refused', detail: 'not today' } },
      ];
      const all = outcomes.map((outcome, index) => measurement(id, 9 - index, outcome));
      await store.appendMeasurements(all.slice(0, 2));
      await store.appendMeasurements([]);
      await store.appendMeasurements(all.slice(2));
      expect(await store.measurements(id)).toEqual(all);
      expect(await store.measurements('unheard_of_1' as RolloutId)).toEqual([]);
    });

    test('those of an unknown rollout are dropped, and none counts as written', async () => {
      const store = await emptyStore();
      await store.appendMeasurements([measurement('manager_v2_1' as RolloutId, 1)]);
      expect((await store.load()).everWritten).toBe(false);
      await store.commit({ services: [recordWith(rolloutRecord({}))] });
      expect(await store.measurements(rolloutRecord({}).id)).toEqual([]);
    });

    test('a list with one that could not be read back is refused as a whole', async () => {
      const store = await emptyStore();
      const { id } = rolloutRecord({});
      await store.commit({ services: [recordWith(rolloutRecord({}))] });
      const wrong = measurement(id, 2, { kind: 'Data', data: { kind: 'value', candidate: Number.NaN } });
      const refused = store.appendMeasurements([measurement(id, 1), wrong]);
      await expect(refused).rejects.toThrow(TypeError);
      await expect(refused).rejects.toThrow(
        /measurement of errors at Verify of manager_v2_1 .*candidate .* finite number/,
      );
      expect(await store.measurements(id)).toEqual([]);
    });

    test('beyond the bound those of the oldest ended rollout go as a whole, never those of one that goes on', async () => {
      const store = await emptyStore(5);
      const rollouts = (['Progressing', 'Succeeded', 'Aborted', 'RolledBack'] as const).map((state, index) =>
        rolloutRecord({ service: `s${index}`, state }),
      );
      for (const rollout of rollouts) await store.commit({ services: [recordWith(rollout)] });
      for (const number of [1, 2]) {
        await store.appendMeasurements(rollouts.slice(0, 3).map(({ id }) => measurement(id, number)));
      }
      const counts = () => Promise.all(rollouts.map(async ({ id }) => (await store.measurements(id)).length));
      expect(await counts()).toEqual([2, 0, 2, 0]);
      await store.appendMeasurements(
        rollouts.slice(3).flatMap(({ id }) => [measurement(id, 1), measurement(id, 2)]),
      );
      expect(await counts()).toEqual([2, 0, 0, 2]);
    });
  });

  describe(`a ${adapter} store: counts of requests`, () => {
    const day = instant(1_700_000_040_000);
    const at = (seconds: number) => instant(day + seconds * 1000);

    test('a count takes the place of the one with the same service, version, route, result and span', async () => {
      const store = await emptyStore();
      const others = [
        trafficCount({ from: at(0), result: 'ServerError' }),
        trafficCount({ from: at(0), route: 'Pin' }),
        trafficCount({ from: at(0), version: versionName('v2') }),
        trafficCount({ from: at(5) }),
      ];
      const { version: _, ...refused } = trafficCount({ from: at(0), route: 'Refused', result: 'Refused' });
      await store.saveTraffic([trafficCount({ from: at(0), requests: 1 }), ...others, refused]);
      await store.saveTraffic([trafficCount({ from: at(0), requests: 40 })]);
      const read = await store.traffic({ service: manager, from: at(0), to: at(60) });
      expect(read).toHaveLength(6);
      expect(read).toEqual(
        expect.arrayContaining([...others, refused, trafficCount({ from: at(0), requests: 40 })]),
      );
      expect(await store.traffic({ service: serviceName('other'), from: at(0), to: at(60) })).toEqual([]);
      expect((await store.load()).everWritten).toBe(false);
    });

    test('counts are read oldest first, from the first span in the time to the last that begins in it', async () => {
      const store = await emptyStore();
      const spans = [0, 5, 55, 60, 65, 120, 300];
      await store.saveTraffic(spans.toReversed().map((seconds) => trafficCount({ from: at(seconds) })));
      const read = async (from: number, to: number) =>
        (await store.traffic({ service: manager, from: at(from), to: at(to) })).map(
          ({ from: span }) => (span - day) / 1000,
        );
      expect(await read(0, 1000)).toEqual(spans);
      expect(await read(5, 65)).toEqual([5, 55, 60]);
      expect(await read(6, 66)).toEqual([55, 60, 65]);
      expect(await read(66, 120)).toEqual([]);
    });

    test('counts go when they are older than is kept, and not before', async () => {
      const store = await emptyStore();
      const other = serviceName('other');
      const kept = trafficCount({ from: instant(day - TRAFFIC_KEPT) });
      await store.saveTraffic([kept, trafficCount({ from: instant(day - TRAFFIC_KEPT - HOUR) })]);
      await store.saveTraffic([trafficCount({ service: other, from: instant(day) })]);
      expect(await store.traffic({ service: manager, from: instant(0), to: day })).toEqual([kept]);
    });

    test('a list that counts the same twice, or what could not be read back, is refused', async () => {
      const store = await emptyStore();
      await expect(store.saveTraffic([trafficCount(), trafficCount({ requests: 2 })])).rejects.toThrow(
        /two counts of manager .* v1 Default Success/,
      );
      await expect(store.saveTraffic([trafficCount({ requests: 1.5 })])).rejects.toThrow(/requests is 1.5/);
      expect(await store.traffic({ service: manager, from: instant(0), to: instant(1e15) })).toEqual([]);
    });

    test('coverages are replaced by their beginning, read by time, and go when they are old', async () => {
      const store = await emptyStore();
      const [old, first, second] = [
        trafficCoverage(day - TRAFFIC_KEPT - 2 * HOUR, day - TRAFFIC_KEPT - HOUR),
        trafficCoverage(day, day + 100),
        trafficCoverage(day + 200, day + 250),
      ];
      for (const coverage of [second, old, first]) await store.saveCoverage(coverage);
      await store.saveCoverage({ ...first, to: instant(day + 150) });
      const read = (from: number, to: number) => store.coverage({ from: instant(from), to: instant(to) });
      expect(await read(0, day + 1000)).toEqual([{ ...first, to: instant(day + 150) }, second]);
      expect(await read(day + 100, day + 200)).toEqual([{ ...first, to: instant(day + 150) }]);
      expect(await read(day + 150, day + 200)).toEqual([]);
      await expect(store.saveCoverage(trafficCoverage(5, 4))).rejects.toThrow(/cannot end at 4/);
      expect((await store.load()).everWritten).toBe(false);
    });

    test('a closed store says so', async () => {
      const store = await emptyStore();
      await store.close();
      const time = { from: instant(0), to: instant(1) };
      for (const call of [
        store.rollouts({ limit: 1 }),
        store.appendMeasurements([]),
        store.measurements('manager_v2_1' as RolloutId),
        store.saveTraffic([]),
        store.traffic({ service: manager, ...time }),
        store.saveCoverage(trafficCoverage(0, 1)),
        store.coverage(time),
      ]) {
        await expect(call).rejects.toThrow(/closed/);
      }
    });
  });
}
