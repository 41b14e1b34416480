// Sums of requests by span: nothing is lost or doubled, whatever is saved, forgotten and begun again in between.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EndedRequest, LATEST, TrafficTally } from '../../../../src/adapters/access-log/tally.ts';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import {
  DURATION_BOUNDS,
  TRAFFIC_RESULTS,
  TRAFFIC_ROUTES,
  TRAFFIC_SPAN,
  type TrafficCount,
} from '../../../../src/model/traffic.ts';

const MANAGER = serviceName('manager');
const START = 1_700_000_000_000;

const request = (replaced: Partial<EndedRequest> = {}): EndedRequest => ({
  service: MANAGER,
  version: versionName('v1'),
  route: 'Default',
  result: 'Success',
  retries: 0,
  duration: 5,
  endedAt: instant(START),
  ...replaced,
});

const keyOf = ({ from, version, route, result }: TrafficCount) => `${from} ${version} ${route} ${result}`;

test('a store that takes what is unsaved, and forgets nothing, has every request once', () => {
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        ago: fc.nat(3 * LATEST),
        version: fc.constantFrom('v1', 'v2'),
        route: fc.constantFrom(...TRAFFIC_ROUTES),
        result: fc.constantFrom(...TRAFFIC_RESULTS),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), time: fc.nat(2 * LATEST) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('save' as const), fails: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let [now, added] = [START, 0];
      let tally = new TrafficTally();
      const store = new Map<string, TrafficCount>();
      const save = () => {
        for (const count of tally.takeUnsaved().counts) store.set(keyOf(count), count);
        tally.forget(instant(now));
      };
      for (const each of steps) {
        if (each.kind === 'pass') now += each.time;
        if (each.kind === 'save' && each.fails) tally.takeUnsaved().keepUnsaved();
        if (each.kind === 'save' && !each.fails) save();
        if (each.kind === 'restart') {
          save();
          tally = new TrafficTally();
          tally.load([...store.values()].filter(({ from }) => from >= now - 2 * LATEST));
        }
        if (each.kind === 'add') {
          const { route, result } = each;
          expect(
            tally.add(
              request({
                route,
                result,
                version: versionName(each.version),
                endedAt: instant(now - each.ago),
              }),
              instant(now),
            ),
          ).toBe(true);
          added += 1;
        }
      }
      save();
      const counts = [...store.values()];
      expect(counts.reduce((sum, { requests }) => sum + requests, 0)).toBe(added);
      expect(counts.flatMap(({ durations }) => durations).reduce((sum, each) => sum + each, 0)).toBe(added);
      expect(counts.every(({ from }) => from % TRAFFIC_SPAN === 0 && from <= now)).toBe(true);
    }),
  );
});

test('a duration is in the first bucket whose bound it does not exceed', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 200_000, noNaN: true }), (duration) => {
      const tally = new TrafficTally();
      tally.add(request({ duration }), instant(START));
      const bucket = tally.counts(MANAGER)[0]?.durations.indexOf(1) ?? -1;
      expect(duration).toBeLessThanOrEqual(DURATION_BOUNDS[bucket] ?? Number.POSITIVE_INFINITY);
      expect(duration).toBeGreaterThan(
        bucket === 0 ? -1 : (DURATION_BOUNDS[bucket - 1] ?? Number.POSITIVE_INFINITY),
      );
    }),
  );
});

test('what is saved and old goes from memory, and makes room', () => {
  const tally = new TrafficTally(1);
  tally.add(request(), instant(START));
  const later = instant(START + 10 * LATEST);
  tally.forget(later);
  expect(tally.add(request({ endedAt: later }), later)).toBe(false);
  expect(tally.takeUnsaved().counts).toHaveLength(1);
  tally.forget(later);
  expect(tally.counts(MANAGER)).toEqual([]);
  expect(tally.add(request({ endedAt: later }), later)).toBe(true);
});

test('counts are those of the spans that begin in the time asked for', () => {
  const tally = new TrafficTally();
  for (const span of [0, 1, 2])
    tally.add(request({ endedAt: instant(START + span * TRAFFIC_SPAN) }), instant(START + 20_000));
  expect(
    tally.counts(MANAGER, START + TRAFFIC_SPAN, START + 2 * TRAFFIC_SPAN).map(({ from }) => from),
  ).toEqual([START + TRAFFIC_SPAN]);
  expect(tally.counts(serviceName('other'))).toEqual([]);
});
