// The smallest effect that could have shown is shown about four times of five when it is really there.
import { describe, expect, test } from 'vitest';
import type { Bucket } from '../../../../src/model/measurement.ts';
import { mannWhitney } from '../../../../src/verification/statistics/mann-whitney.ts';
import { fisher } from '../../../../src/verification/statistics/proportions.ts';
import {
  smallestDifference,
  smallestScale,
  smallestShift,
} from '../../../../src/verification/statistics/smallest-effect.ts';
import { shareBuckets } from '../../../../src/verification/statistics/tallies.ts';
import { type Random, random } from '../../../support/judge/random.ts';
import { seed } from '../../../support/seed.ts';

const RUNS = 400;
/** Five standard errors of a share of 0.8 in so many runs, and what rounding to whole requests may cost. */
const OFF = 5 * Math.sqrt((0.8 * 0.2) / RUNS) + 0.03;

/** Asserts that a test with 80 percent power has it. */
function expectPower(shown: number): void {
  expect(Math.abs(shown / RUNS - 0.8)).toBeLessThan(OFF);
}

describe('for shares of events', () => {
  const REQUESTS = 2_000;
  const events = (source: Random, share: number) => {
    let count = 0;
    for (let each = 0; each < REQUESTS; each++) if (source.uniform() < share) count++;
    return { events: count, total: REQUESTS };
  };

  test.each([
    ['Increase', 0.02, 0],
    ['Decrease', 0.9, 0],
    ['Increase', 0.02, 0.02],
  ] as const)('%s over %d with a tolerance of %d', (direction, share, tolerance) => {
    const baseline = { events: share * REQUESTS, total: REQUESTS };
    const level = 0.03;
    const effect =
      smallestDifference({ candidate: REQUESTS, baseline }, direction, { level, tolerance }) ?? 1;
    const sign = direction === 'Increase' ? 1 : -1;
    const source = random(seed());
    let shown = 0;
    for (let run = 0; run < RUNS; run++) {
      const ours = events(source, share + sign * effect);
      const theirs = events(source, share);
      const { above, below } = fisher(ours, theirs);
      const size = (sign * (ours.events - theirs.events)) / REQUESTS;
      if ((sign > 0 ? above : below) <= level && size >= tolerance) shown++;
    }
    expectPower(shown);
  });

  test('so few that not even the largest effect would show have none', () => {
    const baseline = { events: 1, total: 2 };
    expect(
      smallestDifference({ candidate: 2, baseline }, 'Increase', { level: 0.01, tolerance: 0 }),
    ).toBeUndefined();
  });

  test('a baseline without events still has a smallest effect, of a few events', () => {
    const baseline = { events: 0, total: 1_000 };
    const effect = smallestDifference({ candidate: 1_000, baseline }, 'Increase', {
      level: 0.05,
      tolerance: 0,
    });
    expect(effect).toBeGreaterThan(0.003);
    expect(effect).toBeLessThan(0.012);
  });
});

describe('for histograms', () => {
  const REQUESTS = 300;
  const bounds = [10, 25, 50, 100, 250, 500, 1_000];
  const latencies = (source: Random, median: number): Bucket[] => {
    const counts = [...bounds, Infinity].map(() => 0);
    for (let each = 0; each < REQUESTS; each++) {
      const value = median * Math.exp(0.5 * source.normal());
      const place = bounds.findIndex((bound) => value <= bound);
      const at = place < 0 ? bounds.length : place;
      counts[at] = (counts[at] ?? 0) + 1;
    }
    return counts.map((count, index) => ({ upTo: bounds[index] ?? null, count }));
  };

  test.each(['Increase', 'Decrease'] as const)('%s of all latencies by that factor', (direction) => {
    const source = random(seed());
    const threshold = { level: 0.03, tolerance: 0 };
    let shown = 0;
    let effects = 0;
    for (let run = 0; run < RUNS; run++) {
      const baseline = latencies(source, 80);
      const effect = smallestScale(shareBuckets(baseline, baseline), direction, threshold) ?? 1;
      effects += effect;
      const candidate = latencies(source, 80 * (direction === 'Increase' ? 1 + effect : 1 - effect));
      const { above, below } = mannWhitney(shareBuckets(candidate, baseline));
      if ((direction === 'Increase' ? above : below) <= threshold.level) shown++;
    }
    // Between the bounds of wide buckets the curve is a guess; it errs on the safe side.
    expect(shown / RUNS).toBeGreaterThan(0.8 - OFF);
    expect(effects / RUNS).toBeLessThan(0.25);
    expect(effects / RUNS).toBeGreaterThan(0.08);
  });
});

test('for numbers it follows from the interval of the shift', () => {
  const threshold = { level: 0.025, tolerance: 0 };
  const shift = { value: 0, low: -1.959964, high: 1.959964 };
  expect(smallestShift(shift, 10, threshold)).toBeCloseTo((1.96 + 0.8416) / 10, 3);
  expect(smallestShift({ value: 0, low: -Infinity, high: Infinity }, 10, threshold)).toBeUndefined();
});
