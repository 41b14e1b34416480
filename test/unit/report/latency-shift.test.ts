// The shift of latencies, against the definition computed pair by pair, and its interval against drawn samples.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DURATION_BOUNDS } from '../../../src/model/traffic.ts';
import { quantile } from '../../../src/report/durations.ts';
import { latencyShift, shiftOf } from '../../../src/report/latency-shift.ts';
import { aCount, durationsAround, V2, V3 } from '../../support/sample-report.ts';

function bucketed(values: readonly number[]): number[] {
  const counts: number[] = DURATION_BOUNDS.map(() => 0).concat(0);
  for (const value of values) {
    const bucket = DURATION_BOUNDS.findIndex((bound) => value <= bound);
    const at = bucket === -1 ? DURATION_BOUNDS.length : bucket;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

/** A generator of numbers between 0 and 1 (mulberry32), so that a run can be repeated. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A latency: log-normal around 20 ms. */
function latency(next: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return 20 * Math.exp(0.4 * normal);
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((left, right) => left - right);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
};

describe('the estimate', () => {
  test('is the median of all differences, as exact as the buckets', () => {
    const value = fc.double({ min: 5, max: 500, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 30, maxLength: 60 }),
        fc.array(value, { minLength: 30, maxLength: 60 }),
        (one, other) => {
          const exact = median(one.flatMap((left) => other.map((right) => left - right)));
          const { middle } = shiftOf({ candidate: bucketed(one), baseline: bucketed(other) });
          // Each value is known to within its bucket, a fifth of it.
          expect(Math.abs(middle - exact)).toBeLessThan(0.22 * Math.max(...one, ...other));
        },
      ),
    );
  });

  test('turns its sign when the sides are exchanged, and is nothing between equals', () => {
    const [fast, slow] = [durationsAround(10, 500), durationsAround(30, 800)];
    const [there, back] = [
      shiftOf({ candidate: slow, baseline: fast }),
      shiftOf({ candidate: fast, baseline: slow }),
    ];
    expect(there.middle).toBeCloseTo(-back.middle, 6);
    expect(there.low).toBeCloseTo(-back.high, 6);
    expect(shiftOf({ candidate: fast, baseline: fast }).middle).toBeCloseTo(0, 6);
  });
});

test('the interval holds the true shift in about 95 of 100 samples', () => {
  const next = numbers(7);
  const runs = 400;
  let held = 0;
  for (let run = 0; run < runs; run += 1) {
    const baseline = Array.from({ length: 120 }, () => latency(next));
    const candidate = Array.from({ length: 120 }, () => latency(next) + 4);
    const { low, high } = shiftOf({ candidate: bucketed(candidate), baseline: bucketed(baseline) });
    if (low <= 4 && high >= 4) held += 1;
  }
  // Three standard deviations of a binomial with 0.95.
  expect(held).toBeGreaterThan(runs * 0.95 - 3 * Math.sqrt(runs * 0.95 * 0.05));
  expect(held).toBeLessThan(runs);
});

describe('what is compared', () => {
  const compared = { candidate: V3, baseline: V2, certainty: { kind: 'Proved' } as const };
  const many = (span: number, version: typeof V2, middle: number, replaced = {}) =>
    aCount({ span, version, requests: 200, durations: durationsAround(middle, 200), ...replaced });

  test('requests of the same seconds, where there are enough: a slow night does not make a candidate slow', () => {
    const counts = [many(0, V2, 500), many(5, V2, 20), many(5, V3, 20)];
    const shift = latencyShift({ ...compared, counts });
    expect(shift?.milliseconds).toBeCloseTo(0, 6);
    expect(shift?.certainty).toEqual({ kind: 'Proved' });
  });

  test('else of the whole window, and it says so', () => {
    const shift = latencyShift({ ...compared, counts: [many(0, V2, 20), many(5, V3, 40)] });
    expect(shift?.milliseconds).toBeGreaterThan(10);
    expect(shift?.certainty).toEqual({ kind: 'Sampled', why: expect.stringContaining('different times') });
  });

  test('only default requests that were answered well', () => {
    const others = [many(5, V3, 9_000, { route: 'Pin' }), many(5, V3, 9_000, { result: 'ServerError' })];
    expect(latencyShift({ ...compared, counts: [many(5, V2, 20), ...others] })).toBeUndefined();
  });
});

test('a quantile lies in the bucket of the value that it stands for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 80 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (values, share) => {
        const exact =
          values.toSorted((left, right) => left - right)[Math.ceil(share * values.length - 1e-9) - 1] ?? 0;
        const found = quantile(bucketed(values), share) ?? Number.NaN;
        const bucket = (value: number) => DURATION_BOUNDS.findIndex((bound) => value <= bound * 1.005);
        expect(Math.abs(bucket(found) - bucket(exact))).toBeLessThanOrEqual(1);
      },
    ),
  );
  expect(quantile([], 0.5)).toBeUndefined();
});
