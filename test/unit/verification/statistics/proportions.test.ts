// Fisher's test and the intervals against scipy 1.17, statsmodels 0.15 and Newcombe's own table.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Proportion } from '../../../../src/model/measurement.ts';
import { difference, fisher, wilson } from '../../../../src/verification/statistics/proportions.ts';

const of = (events: number, total: number): Proportion => ({ events, total });

describe("Fisher's test with mid-p", () => {
  // h = scipy.stats.hypergeom(n + m, x + y, n); above = h.sf(x) + h.pmf(x) / 2; below = h.cdf(x) - h.pmf(x) / 2
  test.each([
    { ours: of(3, 4), theirs: of(1, 4), above: 0.12857142857142856, below: 0.8714285714285714 },
    { ours: of(8, 10_000), theirs: of(0, 10_000), above: 0.0019503915137675666, below: 0.9980496084862325 },
    { ours: of(56, 70), theirs: of(48, 80), above: 0.004224721339726325, below: 0.9957752786602737 },
    { ours: of(12, 500), theirs: of(110, 9_500), above: 0.013323335562203106, below: 0.9866766644377969 },
    { ours: of(700, 20_000), theirs: of(640, 20_000), above: 0.04778027798524342, below: 0.9522197220147569 },
  ])('agrees with scipy: $ours against $theirs', ({ ours, theirs, above, below }) => {
    expect(fisher(ours, theirs).above).toBeCloseTo(above, 10);
    expect(fisher(ours, theirs).below).toBeCloseTo(below, 10);
  });

  test('agrees with a sum over all tables', () => {
    const side = fc
      .integer({ min: 1, max: 25 })
      .chain((total) => fc.record({ events: fc.integer({ min: 0, max: total }), total: fc.constant(total) }));
    fc.assert(
      fc.property(side, side, (ours, theirs) => {
        const brute = allTables(ours, theirs);
        expect(fisher(ours, theirs).above).toBeCloseTo(brute, 10);
        expect(fisher(ours, theirs).below).toBeCloseTo(1 - brute, 10);
        expect(fisher(theirs, ours).above).toBeCloseTo(1 - brute, 10);
      }),
    );
  });

  test('a baseline without errors is compared like any other', () => {
    expect(fisher(of(4, 1_000), of(0, 1_000)).above).toBeCloseTo(1 / 32, 3);
    expect(fisher(of(0, 1_000), of(0, 1_000))).toEqual({ above: 0.5, below: 0.5 });
  });
});

/** Half the chance of this table and the chance of all with more events of ours, by whole binomial coefficients. */
function allTables(ours: Proportion, theirs: Proportion): number {
  const events = ours.events + theirs.events;
  const ways = (count: number) => choose(ours.total, count) * choose(theirs.total, events - count);
  let all = 0;
  let above = ways(ours.events) / 2;
  for (let count = 0; count <= events; count++) {
    all += ways(count);
    if (count > ours.events) above += ways(count);
  }
  return above / all;
}

function choose(all: number, some: number): number {
  if (some < 0 || some > all) return 0;
  let ways = 1;
  for (let k = 1; k <= some; k++) ways = (ways * (all - some + k)) / k;
  return ways;
}

const Z95 = 1.9599639845400545;

test.each([
  // statsmodels proportion_confint(events, total, alpha=.05, method='wilson'); the last is in Newcombe 1998, table I.
  [0, 20, 0, 0.1611251580528194],
  [3, 10, 0.10779126740630104, 0.6032218525388546],
  [81, 263, 0.2552885198782742, 0.36620957698280004],
])("Wilson's interval of %d of %d", (events, total, low, high) => {
  const estimate = wilson(of(events, total), Z95);
  expect(estimate.low).toBeCloseTo(low, 10);
  expect(estimate.high).toBeCloseTo(high, 10);
});

test.each([
  // statsmodels confint_proportions_2indep(..., method='newcomb', compare='diff'); rows (a), (e), (g) of Newcombe 1998, table II.
  [56, 70, 48, 80, 0.05243147240236498, 0.33387265403690614],
  [9, 10, 3, 10, 0.1705227239345029, 0.809017973535488],
  [0, 10, 0, 20, -0.1611251580528194, 0.27753279986288926],
])("Newcombe's interval of %d/%d against %d/%d", (a, m, b, n, low, high) => {
  const estimate = difference(wilson(of(a, m), Z95), wilson(of(b, n), Z95));
  expect(estimate.low).toBeCloseTo(low, 10);
  expect(estimate.high).toBeCloseTo(high, 10);
});
