// What one measurement says: limits, comparisons, and what is neither.
import { describe, expect, test } from 'vitest';
import type { Check, Comparison } from '../../../src/model/check.ts';
import type { Bucket, Judgement, MeasuredOutcome } from '../../../src/model/measurement.ts';
import { judge } from '../../../src/verification/judge.ts';
import { BASELINE, CANDIDATE, data, failure, noData, successes } from '../../support/judge/measurements.ts';
import { aCheck } from '../../support/rollouts.ts';

function said(check: Check, outcome: MeasuredOutcome, earlier: readonly MeasuredOutcome[] = []): Judgement {
  return judge({
    check,
    step: 'Shift',
    outcome,
    earlier: earlier.map((each) => ({ outcome: each })),
    version: CANDIDATE,
    baseline: BASELINE,
  });
}

const comparison = (replaced: Partial<Comparison> = {}): Comparison => ({
  bad: 'Decrease',
  tolerance: 0.5,
  falseAlarm: 0.05,
  variance: false,
  ...replaced,
});

describe('limits', () => {
  test('the value is told with the limit, the samples and its interval', () => {
    expect(said(aCheck(), successes([948, 1_000]))).toEqual({
      state: 'Failed',
      value: 94.8,
      limit: 'at least 99 %',
      samples: { candidate: 1_000 },
      interval: { low: expect.closeTo(93.25, 1), high: expect.closeTo(96.01, 1) },
      because: 'success rate 94.8 % of 1,000 requests is below 99 %',
    });
  });

  test.each([
    { value: 98.999, min: 99, max: 101, state: 'Failed' },
    { value: 99, min: 99, max: 101, state: 'Passed' },
    { value: 101, min: 99, max: 101, state: 'Passed' },
    { value: 101.001, min: 99, max: 101, state: 'Failed' },
    { value: -5, max: 101, state: 'Passed' },
    { value: 5_000, min: 99, state: 'Passed' },
  ])('both bounds are inclusive: $value within $min and $max is $state', ({ value, min, max, state }) => {
    const limit = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    const check = aCheck({ metric: { kind: 'query', query: 'q', args: {} }, condition: { limit } });
    expect(said(check, data({ kind: 'value', candidate: value })).state).toBe(state);
  });

  test('too few samples are NoData, however bad they look', () => {
    const judgement = said(aCheck({ minimumSamples: 20 }), successes([0, 19]));
    expect(judgement.state).toBe('NoData');
    expect(judgement.because).toBe('19 requests are too few to judge success rate; it needs 20');
  });

  test('nothing is NoData even where no samples are asked for', () => {
    expect(said(aCheck({ minimumSamples: 0 }), successes([0, 0])).state).toBe('NoData');
  });

  test('a number that is none is NoData', () => {
    const check = aCheck({
      metric: { kind: 'query', query: 'q', args: {} },
      condition: { limit: { max: 1 } },
    });
    for (const candidate of [Number.NaN, Infinity, -Infinity]) {
      expect(said(check, data({ kind: 'value', candidate })).state).toBe('NoData');
    }
  });

  test('a limit looks at its own window only', () => {
    expect(said(aCheck(), successes([100, 100]), [successes([0, 1_000])]).state).toBe('Passed');
  });

  test('a latency is the quantile of its name, in milliseconds', () => {
    const check = aCheck({
      metric: { kind: 'builtin', name: 'LatencyP95' },
      condition: { limit: { max: 200 } },
    });
    const buckets: Bucket[] = [
      { upTo: 100, count: 900 },
      { upTo: 500, count: 100 },
    ];
    const judgement = said(check, data({ kind: 'histogram', candidate: buckets }));
    expect(judgement.because).toBe('p95 latency 300 ms of 1,000 requests is above 200 ms');
  });
});

describe('comparisons of error rates', () => {
  const check = aCheck({ condition: { comparison: comparison() } });

  test('a candidate that is worse beyond chance and tolerance fails, and the sentence says by how much', () => {
    const judgement = said(check, successes([948, 1_000], [995, 1_000]));
    expect(judgement).toMatchObject({
      state: 'Failed',
      value: 94.8,
      baseline: 99.5,
      limit: 'at most 0.5 points below v1',
      samples: { candidate: 1_000, baseline: 1_000 },
      because:
        'success rate 94.8 % of 1,000 requests against 99.5 % of 1,000 of v1: 4.7 points lower, beyond chance',
    });
    expect(judgement.interval?.high).toBeLessThan(0);
  });

  test('a difference within the tolerance passes, however sure it is', () => {
    const judgement = said(check, successes([996_000, 1_000_000], [999_000, 1_000_000]));
    expect(judgement.state).toBe('Passed');
    expect(judgement.interval?.high).toBeLessThan(0);
  });

  test('a difference that may be chance passes, and tells what would have shown', () => {
    const judgement = said(check, successes([97, 100], [99, 100]));
    expect(judgement.state).toBe('Passed');
    expect(judgement.smallestEffect).toBeGreaterThan(3);
    expect(judgement.because).toContain('not worse beyond chance and tolerance');
  });

  test('a better candidate passes', () => {
    expect(said(check, successes([1_000, 1_000], [900, 1_000])).state).toBe('Passed');
  });

  test('either direction can be bad', () => {
    const either = aCheck({ condition: { comparison: comparison({ bad: 'Either' }) } });
    expect(said(either, successes([1_000, 1_000], [900, 1_000])).state).toBe('Failed');
    expect(said(either, successes([900, 1_000], [1_000, 1_000])).state).toBe('Failed');
  });

  test('all data of the step counts: what no window shows alone, three together do', () => {
    const window = successes([980, 1_000], [991, 1_000]);
    const strict = aCheck({ condition: { comparison: comparison({ falseAlarm: 0.01 }) } });
    expect(said(strict, window).state).toBe('Passed');
    const judgement = said(strict, window, [window, window]);
    expect(judgement.state).toBe('Failed');
    expect(judgement.samples).toEqual({ candidate: 3_000, baseline: 3_000 });
  });

  test('a baseline without a single error is no special case', () => {
    const errors = aCheck({
      metric: { kind: 'ratio', events: 'e', total: 't', args: {} },
      condition: { comparison: comparison({ bad: 'Increase', tolerance: 0 }) },
      count: 1,
    });
    expect(said(errors, successes([9, 1_000], [0, 1_000])).state).toBe('Failed');
    expect(said(errors, successes([1, 1_000], [0, 1_000])).state).toBe('Passed');
    expect(said(errors, successes([0, 1_000], [0, 1_000])).state).toBe('Passed');
  });

  test('both sides need enough samples, and the baseline must be measured', () => {
    expect(said(check, successes([0, 100], [19, 19])).state).toBe('NoData');
    expect(said(check, successes([0, 19], [100, 100])).state).toBe('NoData');
    expect(said(check, successes([0, 100])).because).toContain('nothing to compare with');
    expect(said(check, successes([0, 100])).state).toBe('NoData');
  });

  test('a window that is too small for the limit is not looked at by the comparison either', () => {
    const both = aCheck({ condition: { limit: { min: 50 }, comparison: comparison() } });
    const bad = successes([10, 19], [1_000, 1_000]);
    expect(said(both, bad, [bad, bad]).state).toBe('NoData');
  });

  test('of limit and comparison the worse counts', () => {
    const both = (min: number) => aCheck({ condition: { limit: { min }, comparison: comparison() } });
    const worse = successes([948, 1_000], [995, 1_000]);
    expect(said(both(90), worse).state).toBe('Failed');
    expect(said(both(96), successes([950, 1_000], [950, 1_000])).because).toContain('is below 96 %');
    expect(said(both(90), successes([990, 1_000], [990, 1_000])).state).toBe('Passed');
    expect(said(both(90), worse).limit).toBe('at least 90 %; at most 0.5 points below v1');
  });
});

describe('comparisons of latencies', () => {
  const check = (replaced: Partial<Comparison> = {}) =>
    aCheck({
      metric: { kind: 'builtin', name: 'LatencyP99' },
      condition: { comparison: comparison({ bad: 'Increase', tolerance: 0.1, ...replaced }) },
    });
  const histogram = (...counts: readonly number[]): Bucket[] =>
    counts.map((count, index) => ({ upTo: [25, 50, 100, 250, 500, 1_000][index] ?? null, count }));
  const both = (candidate: Bucket[], baseline: Bucket[]) => data({ kind: 'histogram', candidate, baseline });

  const usual = histogram(100, 400, 400, 90, 10, 0);

  test('all slower fails', () => {
    const judgement = said(check(), both(histogram(20, 150, 450, 330, 50, 0), usual));
    expect(judgement.state).toBe('Failed');
    expect(judgement.because).toMatch(
      /^p99 latency .* ms of 1,000 requests against 250 ms of 1,000 of v1: .* % higher/,
    );
  });

  test('only the slowest slower fails: the rank test alone would not see it', () => {
    const judgement = said(check(), both(histogram(100, 400, 400, 60, 10, 30), usual));
    expect(judgement.state).toBe('Failed');
    expect(judgement.because).toContain('tail');
  });

  test('all faster passes, with and without a look at the spread', () => {
    const faster = both(histogram(500, 400, 90, 10, 0, 0), usual);
    expect(said(check(), faster).state).toBe('Passed');
    expect(said(check({ variance: true }), faster).state).toBe('Passed');
  });

  test('a wider spread with the same middle fails only where the check asks', () => {
    const p50 = (variance: boolean) =>
      aCheck({
        metric: { kind: 'builtin', name: 'LatencyP50' },
        condition: { comparison: comparison({ bad: 'Increase', tolerance: 0.1, variance }) },
      });
    const wider = both(histogram(250, 250, 250, 200, 50, 0), histogram(50, 450, 440, 55, 5, 0));
    expect(said(p50(false), wider).state).toBe('Passed');
    expect(said(p50(true), wider).state).toBe('Failed');
    expect(said(p50(true), wider).because).toContain('wider');
  });

  test('the same shape passes, and the smallest effect is told as a share', () => {
    const judgement = said(check(), both(usual, usual));
    expect(judgement.state).toBe('Passed');
    expect(judgement.because).toMatch(/\d+(\.\d+)? % or more would have shown$/);
    expect(judgement.smallestEffect).toBeGreaterThan(0.1);
    expect(judgement.smallestEffect).toBeLessThan(0.5);
  });
});

describe('comparisons of single numbers', () => {
  const check = aCheck({
    metric: { kind: 'query', query: 'q', args: {} },
    condition: { comparison: comparison({ bad: 'Increase', tolerance: 0.1 }) },
    count: 10,
  });
  const pair = (candidate: number, baseline: number) => data({ kind: 'value', candidate, baseline });

  test('few numbers show nothing, and the sentence says so', () => {
    const judgement = said(check, pair(100, 1));
    expect(judgement.state).toBe('Passed');
    expect(judgement.because).toContain('so few could not have shown any effect');
  });

  test('seven of ten bad points fail: the series that a plain rank test with an interval lets pass', () => {
    const points = [1, 1, 100, 100, 100, 100, 100, 1, 100, 100].map((value) => pair(value, 1));
    expect(said(check, pair(100, 1), points.slice(0, 9)).state).toBe('Failed');
  });

  test('a number that is none on either side is no look', () => {
    expect(said(check, pair(Number.NaN, 1)).state).toBe('NoData');
    expect(said(check, pair(1, Number.NaN)).state).toBe('NoData');
  });
});

describe('what is not measured', () => {
  test('an error is Error and says why', () => {
    const judgement = said(aCheck(), failure);
    expect(judgement.state).toBe('Error');
    expect(judgement.because).toBe('success rate could not be measured: Prometheus does not answer');
  });

  test('no data is NoData and says why', () => {
    expect(said(aCheck(), noData).because).toBe('there is no data for success rate: the series is stale');
    expect(said(aCheck(), noData).state).toBe('NoData');
  });

  test.each([
    ['approved', 'Passed'],
    ['refused', 'Failed'],
    ['undecided', 'Inconclusive'],
  ] as const)('an answer %s is %s', (answer, state) => {
    const check = aCheck({ metric: { kind: 'webhook', url: 'http://x', timeout: 1 }, condition: {} });
    expect(said(check, data({ kind: 'answer', answer, detail: 'because' })).state).toBe(state);
  });

  test('a check that says nothing about what is good does not pass', () => {
    expect(said(aCheck({ condition: {} }), successes([100, 100])).state).toBe('Inconclusive');
  });
});
