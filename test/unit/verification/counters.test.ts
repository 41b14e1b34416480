/** How much counters grew, from their raw samples; nothing that is not known is ever counted as nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import {
  type CounterWindow,
  type Increments,
  increments,
  ratePerSecond,
  type SampledSeries,
  sumOf,
  targetsOfBirths,
} from '../../../src/verification/counters.ts';

const SCRAPE = 1_000;
const window: CounterWindow = { from: instant(100_000), to: instant(110_000), scrapeInterval: SCRAPE };
const labels = { __name__: 'x_total', job: 'envoy', instance: 'a:1' };

/** A series with a sample every scrape from `from` on; null: that scrape has none. */
function series(
  from: number,
  values: readonly (number | null)[],
  own: Record<string, string> = {},
): SampledSeries {
  const samples = values.flatMap((value, index) =>
    value === null ? [] : [{ at: instant(from + index * SCRAPE), value }],
  );
  return { labels: { ...labels, ...own }, samples };
}

const steady = (from: number, value: number, to: number = window.to): SampledSeries =>
  series(
    from,
    Array.from({ length: Math.floor((to - from) / SCRAPE) + 1 }, () => value),
  );
const up = (from: number, value = 1): SampledSeries => steady(from, value);

function counted(
  all: readonly SampledSeries[],
  scrapes: readonly SampledSeries[] = [],
  own = window,
): number | string {
  const answer: Increments = increments({ series: all, scrapes, window: own });
  return answer.kind === 'counted' ? sumOf(answer.increments) : answer.reason;
}

describe('the growth of a counter', () => {
  test('is its last value less that of the last sample before the window', () => {
    expect(counted([series(98_500, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])])).toBe(10);
  });

  test('of a reset counts from zero, whatever the counter had been', () => {
    expect(counted([series(99_000, [50, 50, 52, 1, 3, 3, 0, 2, 2, 2, 2, 2])])).toBe(2 + 1 + 2 + 0 + 2);
  });

  test('of a series that is born on a target that was scraped before counts from zero', () => {
    const born = series(104_000, [5, 6, 6, 6, 6, 6, 6]);
    expect(counted([born], [up(98_000)])).toBe(6);
    expect(targetsOfBirths([born], window)).toEqual([{ job: 'envoy', instance: 'a:1' }]);
  });

  test('of a series on a target of which Prometheus says nothing counts from zero', () => {
    expect(counted([series(104_000, [5, 6, 6, 6, 6, 6, 6])])).toBe(6);
  });

  test('of a target that Prometheus had not scraped before counts from its first sample: the rest has no time', () => {
    const old = steady(98_000, 7);
    const added = series(
      104_000,
      [1_000_000, 1_000_002, 1_000_002, 1_000_003, 1_000_003, 1_000_003, 1_000_003],
      {
        instance: 'b:1',
      },
    );
    const firstScrape: SampledSeries = { ...up(104_000), labels: { ...labels, instance: 'b:1' } };
    expect(counted([old, added], [firstScrape])).toBe(3);
    const failed: SampledSeries = { labels: firstScrape.labels, samples: up(98_000, 0).samples.slice(0, 6) };
    expect(counted([old, added], [failed])).toBe(3);
  });

  test('is not known where nothing at all was scraped at the beginning of the window', () => {
    expect(counted([series(104_000, [90, 91, 92, 93, 94, 95, 96])], [up(104_000)])).toMatch(
      /beginning of the window/,
    );
  });

  test('does not mind a scrape that was missed', () => {
    expect(counted([series(98_000, [3, 4, 5, null, 7, 8, 9, 10, 11, 12, 13, 14, 15])])).toBe(10);
  });

  test('adds up over series', () => {
    expect(
      counted([
        steady(98_000, 4),
        series(98_000, [1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3], { instance: 'b:1' }),
      ]),
    ).toBe(2);
  });
});

describe('the growth is not known', () => {
  test('of a series that ended within the window', () => {
    expect(counted([steady(98_000, 4), steady(98_000, 4, 107_000)])).toMatch(
      /x_total of a:1 has no sample for the last 3 s/,
    );
  });

  test('of a series whose newest sample is two scrapes old', () => {
    expect(counted([steady(98_000, 4, 108_000)])).toMatch(/no sample for the last 2 s/);
    expect(counted([steady(98_000, 4, 109_000)])).toBe(0);
  });

  test('where a value is no number, infinite or below zero', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1])
      expect(counted([series(98_000, [1, 1, 1, 1, value, 1, 1, 1, 1, 1, 1, 1, 1])])).toMatch(
        /counts nothing/,
      );
  });

  test('where a window is so short that no sample lies in it', () => {
    const short = { ...window, to: instant(window.from + 500) };
    expect(counted([steady(98_000, 4, 100_000)], [], short)).toMatch(/no sample within the window/);
  });
});

test('a series that had ended before the window belongs to the window in which it ended, and to no other', () => {
  const ended = steady(90_000, 4, 97_000);
  const before = { ...window, from: instant(90_000), to: instant(100_000) };
  expect(counted([ended, steady(88_000, 1, 100_000)], [], before)).toMatch(/no sample/);
  expect(counted([ended, steady(98_000, 1)])).toBe(0);
});

test('each second of a rate is counted over the time that its own series covers', () => {
  const answer = increments({
    series: [series(99_000, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110])],
    scrapes: [],
    window,
  });
  expect(answer.kind === 'counted' && ratePerSecond(answer.increments)).toBe(10);
});

/** What a counter would say of requests and restarts: its true growth is known. */
const steps = fc.array(fc.record({ requests: fc.nat(20), restarts: fc.boolean() }), {
  minLength: 25,
  maxLength: 25,
});

test('windows that follow each other add up to all that happened between scrapes, restarts or not', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 3, max: 12 }), (all, cut) => {
      let value = 0;
      let total = 0;
      const values = all.map(({ requests, restarts }) => {
        const before = value;
        // After a restart a counter can be told from one that goes on only where it is below its last value.
        value = restarts && requests < value ? requests : value + requests;
        total += value < before ? value : value - before;
        return value;
      });
      const from = 99_000;
      const own = [series(from, values)];
      const end = from + 24 * SCRAPE;
      const middle = from + cut * SCRAPE + 500;
      const first = { from: instant(from), to: instant(middle), scrapeInterval: SCRAPE };
      const second = { from: instant(middle), to: instant(end), scrapeInterval: SCRAPE };
      const part = own.map(({ labels: of, samples }) => ({
        labels: of,
        samples: samples.filter(({ at }) => at <= middle),
      }));
      const sum = Number(counted(part, [], first)) + Number(counted(own, [], second));
      expect(sum).toBe(total - (values[0] ?? 0));
    }),
  );
});

test('whatever scrapes are missed, what is counted is never more than what happened, and all of it or not known', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(5), { minLength: 13, maxLength: 13 }),
      fc.array(fc.boolean(), { minLength: 13, maxLength: 13 }),
      (growth, missed) => {
        let value = 0;
        const values = growth.map((by) => (value += by));
        const seen = values.map((each, index) => (missed[index] ? null : each));
        const answer = counted([series(98_000, seen)], [up(96_000)]);
        const atFrom = seen.slice(0, 3).findLast((each) => each !== null) ?? 0;
        const atTo = seen.findLast((each) => each !== null) ?? 0;
        if (typeof answer === 'number') expect(answer).toBe(atTo - atFrom);
        else
          expect(
            seen.slice(-2).every((each) => each === null) || seen.slice(3).every((each) => each === null),
          ).toBe(true);
      },
    ),
  );
});
