// Quantiles, shifts, scales, the tail and the spread: against other ways to compute them, and at their level.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bucket } from '../../../../src/model/measurement.ts';
import { hodgesLehmann } from '../../../../src/verification/statistics/hodges-lehmann.ts';
import { mannWhitney } from '../../../../src/verification/statistics/mann-whitney.ts';
import { fisher } from '../../../../src/verification/statistics/proportions.ts';
import { quantile, quantileEstimate } from '../../../../src/verification/statistics/quantile.ts';
import { scaleEstimate } from '../../../../src/verification/statistics/scale.ts';
import { spreadTest } from '../../../../src/verification/statistics/spread.ts';
import { tailTest } from '../../../../src/verification/statistics/tail-share.ts';
import { addBuckets, shareBuckets, tallyNumbers } from '../../../../src/verification/statistics/tallies.ts';
import { random } from '../../../support/judge/random.ts';
import { seed } from '../../../support/seed.ts';

const histogram = (...pairs: readonly (readonly [number | null, number])[]): Bucket[] =>
  pairs.map(([upTo, count]) => ({ upTo, count }));

/** Log-normal observations in fine buckets, a twentieth apart. */
function logNormal(
  count: number,
  { median, deviation, from }: { median: number; deviation: number; from: number },
) {
  const source = random(from);
  const bounds = Array.from({ length: 200 }, (_, index) => 1.05 ** index);
  const counts = [...bounds, Infinity].map(() => 0);
  for (let each = 0; each < count; each++) {
    const value = median * Math.exp(deviation * source.normal());
    const place = bounds.findIndex((bound) => value <= bound);
    const at = place < 0 ? bounds.length : place;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts.map((each, index): Bucket => ({ upTo: bounds[index] ?? null, count: each }));
}

describe('quantiles of buckets', () => {
  test('are read off inside a bucket as histogram_quantile of Prometheus does', () => {
    // Prometheus: buckets le 10: 10, 20: 40, +Inf: 50 -> histogram_quantile(0.5) = 10 + 10 * (25 - 10) / 30 = 15.
    expect(quantile(histogram([10, 10], [20, 30], [null, 10]), 0.5)).toBeCloseTo(15, 12);
  });

  test('above the highest bound are that bound, and without observations no number', () => {
    expect(quantile(histogram([10, 1], [null, 9]), 0.9)).toBe(10);
    expect(quantile(histogram([10, 0], [null, 0]), 0.9)).toBeNaN();
  });

  test('have intervals that hold the true value in about 95 of 100 samples', () => {
    const truth = 80 * Math.exp(0.5 * 1.6448536);
    const runs = 400;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const sampled = logNormal(400, { median: 80, deviation: 0.5, from: seed() + run });
      const { low, high } = quantileEstimate(sampled, 0.95, 1.96);
      if (low <= truth && truth <= high) held++;
    }
    expect(held / runs).toBeGreaterThan(0.95 - 5 * Math.sqrt((0.05 * 0.95) / runs));
  });
});

describe('tables of both sides', () => {
  test('histograms with other bounds are compared by the bounds that both have', () => {
    const shared = shareBuckets(
      histogram([5, 2], [10, 3], [null, 1]),
      histogram([10, 7], [20, 1], [null, 2]),
    );
    expect(shared.map(({ upTo, candidate, baseline }) => ({ upTo, candidate, baseline }))).toEqual([
      { upTo: 10, candidate: 5, baseline: 7 },
      { upTo: Infinity, candidate: 1, baseline: 3 },
    ]);
  });

  test('adding up loses no observation', () => {
    const bucket = fc.record({
      upTo: fc.constantFrom(1, 2, 5, 10, null),
      count: fc.nat({ max: 50 }),
    });
    const sorted = fc
      .uniqueArray(bucket, { selector: ({ upTo }) => upTo, minLength: 1 })
      .map((buckets) => buckets.toSorted((a, b) => (a.upTo ?? Infinity) - (b.upTo ?? Infinity)));
    const sum = (buckets: readonly Bucket[]) => buckets.reduce((all, { count }) => all + count, 0);
    fc.assert(
      fc.property(fc.array(sorted, { minLength: 1, maxLength: 4 }), (histograms) => {
        expect(sum(addBuckets(histograms))).toBe(histograms.reduce((all, each) => all + sum(each), 0));
      }),
    );
  });
});

describe('the shift of numbers', () => {
  // numpy.median(numpy.subtract.outer(a, b)) of the lists of the rank test's example.
  test('is the median of all differences', () => {
    const shift = hodgesLehmann([1.2, 3.4, 5.6, 7.8, 9.1], [0.4, 2.2, 4.4, 3.3], 1.96);
    expect(shift.value).toBeCloseTo(3.2, 12);
  });

  test('agrees with sorting all differences', () => {
    const numbers = fc.array(
      fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
      {
        minLength: 1,
        maxLength: 9,
      },
    );
    fc.assert(
      fc.property(numbers, numbers, (ours, theirs) => {
        const all = ours.flatMap((a) => theirs.map((b) => a - b)).toSorted((a, b) => a - b);
        const at = (place: number) => all[place] ?? Number.NaN;
        const median = (at(Math.floor((all.length - 1) / 2)) + at(Math.ceil((all.length - 1) / 2))) / 2;
        const { value, low, high } = hodgesLehmann(ours, theirs, 1.28);
        expect(value).toBeCloseTo(median, 8);
        const isDifference = (end: number) => all.some((each) => Math.abs(each - end) < 1e-8);
        if (Number.isFinite(low)) expect([isDifference(low), isDifference(high)]).toEqual([true, true]);
      }),
    );
  });

  test('has an interval that holds the true shift in at least about 95 of 100 samples', () => {
    const source = random(seed());
    const runs = 1_000;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const numbers = (shift: number) => Array.from({ length: 8 }, () => shift + source.normal());
      const { low, high } = hodgesLehmann(numbers(3), numbers(0), 1.96);
      if (low <= 3 && 3 <= high) held++;
    }
    expect(held / runs).toBeGreaterThan(0.95 - 5 * Math.sqrt((0.05 * 0.95) / runs));
  });

  test('has no interval where so few numbers cannot have one', () => {
    expect(hodgesLehmann([5], [1], 1.96)).toEqual({ value: 4, low: -Infinity, high: Infinity });
  });
});

describe('the scale of histograms', () => {
  test.each([0.5, 0.8, 1, 1.2, 2])('finds a factor of %d through the buckets', (factor) => {
    const baseline = logNormal(20_000, { median: 80, deviation: 0.5, from: 1 });
    const candidate = logNormal(20_000, { median: 80 * factor, deviation: 0.5, from: 2 });
    expect(scaleEstimate(shareBuckets(candidate, baseline)) / factor).toBeCloseTo(1, 1);
  });

  test("is seen through Envoy's wide buckets, where the quantile hides", () => {
    const baseline = coarse(logNormal(20_000, { median: 80, deviation: 0.5, from: 1 }));
    const candidate = coarse(logNormal(20_000, { median: 96, deviation: 0.5, from: 2 }));
    expect(quantile(candidate, 0.95) / quantile(baseline, 0.95)).toBeLessThan(1.1);
    expect(Math.abs(scaleEstimate(shareBuckets(candidate, baseline)) - 1.2)).toBeLessThan(0.06);
  });

  /** The same observations with the bounds 50, 100 and 250 only. */
  function coarse(buckets: readonly Bucket[]): Bucket[] {
    const bounds = [50, 100, 250, Infinity];
    const counts = bounds.map(() => 0);
    for (const { upTo, count } of buckets) {
      const at = bounds.findIndex((bound) => (upTo ?? Infinity) <= bound * 1.02);
      counts[at] = (counts[at] ?? 0) + count;
    }
    return counts.map((count, index) => ({ upTo: index === 3 ? null : (bounds[index] ?? null), count }));
  }
});

describe('the spread', () => {
  test('is the rank test of the distances from the common median', () => {
    const ours = [-9, -4, 3, 8, 11];
    const theirs = [-1, 0, 1, 2, -2];
    // The median of all ten is 0.5.
    const distances = (numbers: readonly number[]) => numbers.map((each) => Math.abs(each - 0.5));
    const expected = mannWhitney(tallyNumbers(distances(ours), distances(theirs)));
    const actual = spreadTest(tallyNumbers(ours, theirs));
    expect(actual.above).toBeCloseTo(expected.above, 10);
    expect(actual.above).toBeLessThan(0.05);
  });

  test('keeps its level where both sides are alike, also in wide buckets', () => {
    const source = random(seed());
    const runs = 1_500;
    let alarms = 0;
    for (let run = 0; run < runs; run++) {
      const counts = () => {
        const buckets = [0, 0, 0, 0];
        for (let each = 0; each < 60; each++) {
          const place = Math.min(3, Math.floor(4 * source.uniform() ** 2));
          buckets[place] = (buckets[place] ?? 0) + 1;
        }
        return histogram(
          [50, buckets[0] ?? 0],
          [100, buckets[1] ?? 0],
          [250, buckets[2] ?? 0],
          [500, buckets[3] ?? 0],
        );
      };
      if (spreadTest(shareBuckets(counts(), counts())).above <= 0.05) alarms++;
    }
    expect(alarms / runs).toBeLessThan(0.05 + 5 * Math.sqrt((0.05 * 0.95) / runs));
  });
});

describe('the tail', () => {
  test('is compared above the bound nearest to the quantile', () => {
    const ours = histogram([100, 900], [250, 60], [500, 30], [null, 10]);
    const theirs = histogram([100, 950], [250, 40], [500, 9], [null, 1]);
    // 50 of 2,000 lie above 250, 11 above 500; for p99 the bound with 11 (0.55 %) is nearer to 1 % than that with 2.5 %.
    const tail = tailTest(shareBuckets(ours, theirs), 0.99);
    expect(tail).toEqual({
      ...fisher({ events: 10, total: 1_000 }, { events: 1, total: 1_000 }),
      bound: 500,
      candidate: 0.01,
    });
  });

  test('cannot be told where nothing lies above any bound', () => {
    expect(tailTest(shareBuckets(histogram([100, 5]), histogram([100, 5])), 0.99)).toBeUndefined();
  });
});
