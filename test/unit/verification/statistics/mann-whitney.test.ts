// The rank test against scipy 1.17 and against a count of all permutations.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mannWhitney } from '../../../../src/verification/statistics/mann-whitney.ts';
import { type Tally, tallyNumbers } from '../../../../src/verification/statistics/tallies.ts';

describe('the normal approximation with ties and continuity correction', () => {
  // scipy.stats.mannwhitneyu(x, y, alternative=..., method='asymptotic', use_continuity=True), with
  // x = [3]*40 + [7]*60 + [15]*30 + [40]*10 and y = [3]*60 + [7]*55 + [15]*20 + [40]*5.
  const tallies: Tally[] = [
    { value: 3, candidate: 40, baseline: 60 },
    { value: 7, candidate: 60, baseline: 55 },
    { value: 15, candidate: 30, baseline: 20 },
    { value: 40, candidate: 10, baseline: 5 },
  ];
  test('agrees with scipy on a histogram', () => {
    const ranks = mannWhitney(tallies);
    expect(ranks.superiority * 140 * 140).toBeCloseTo(11_575, 9);
    expect(ranks.above).toBeCloseTo(0.00260905134459746, 12);
    expect(ranks.below).toBeCloseTo(0.997403617910447, 12);
  });

  test('is the same for the same counts, whatever the values are', () => {
    const moved = tallies.map((tally, index) => ({ ...tally, value: index }));
    expect(mannWhitney(moved)).toEqual(mannWhitney(tallies));
  });
});

describe('the exact count', () => {
  // scipy.stats.mannwhitneyu([1.2, 3.4, 5.6, 7.8, 9.1], [0.4, 2.2, 4.4, 3.3], alternative=..., method='exact')
  test('agrees with scipy without ties', () => {
    const ranks = mannWhitney(tallyNumbers([1.2, 3.4, 5.6, 7.8, 9.1], [0.4, 2.2, 4.4, 3.3]));
    expect(ranks.above).toBeCloseTo(0.09523809523809523, 12);
    expect(ranks.below).toBeCloseTo(0.9444444444444444, 12);
  });

  test('agrees with dealing the observations in all possible ways, ties included', () => {
    const few = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(few, few, (ours, theirs) => {
        const ranks = mannWhitney(tallyNumbers(ours, theirs));
        const brute = allDeals(ours, theirs);
        expect(ranks.above).toBeCloseTo(brute.above, 10);
        expect(ranks.below).toBeCloseTo(brute.below, 10);
      }),
    );
  });

  test('is near the approximation where both can be had', () => {
    const counts = (candidate: number, baseline: number, value: number) => ({ value, candidate, baseline });
    const small = mannWhitney([counts(3, 6, 1), counts(5, 5, 2), counts(7, 4, 3)]);
    const large = mannWhitney([counts(3, 7, 1), counts(5, 5, 2), counts(7, 4, 3)]);
    // 30 observations are counted out, 31 are approximated; one more low baseline makes the candidate's case stronger.
    expect(large.above).toBeLessThan(small.above);
    expect(large.above).toBeGreaterThan(small.above * 0.4);
  });
});

test('a side without observations is never significant', () => {
  const ranks = mannWhitney([{ value: 1, candidate: 9, baseline: 0 }]);
  expect([ranks.above, ranks.below]).toEqual([1, 1]);
});

test('two equal sides are never significant', () => {
  const ranks = mannWhitney([{ value: 1, candidate: 900, baseline: 900 }]);
  expect([ranks.above, ranks.below]).toEqual([1, 1]);
});

/** Share of all ways to choose the candidate's observations with at least, and at most, as many wins. */
function allDeals(ours: readonly number[], theirs: readonly number[]): { above: number; below: number } {
  const pool = [...ours, ...theirs];
  const wins = (chosen: readonly number[], rest: readonly number[]) =>
    chosen.reduce((sum, a) => sum + rest.reduce((part, b) => part + (a > b ? 1 : a === b ? 0.5 : 0), 0), 0);
  const observed = wins(ours, theirs);
  let all = 0;
  let above = 0;
  let below = 0;
  for (let mask = 0; mask < 2 ** pool.length; mask++) {
    const chosen = pool.filter((_, index) => (mask >> index) % 2 === 1);
    if (chosen.length !== ours.length) continue;
    const each = wins(
      chosen,
      pool.filter((_, index) => (mask >> index) % 2 === 0),
    );
    all++;
    if (each >= observed) above++;
    if (each <= observed) below++;
  }
  return { above: above / all, below: below / all };
}
