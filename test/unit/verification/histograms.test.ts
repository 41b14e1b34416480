/** Cumulative buckets of classic histograms become observations by bucket. */
import { expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import type { Increment } from '../../../src/verification/counters.ts';
import { bucketsOf } from '../../../src/verification/histograms.ts';

function histogram(instance: string, cumulative: Record<string, number>): Increment[] {
  return Object.entries(cumulative).map(([le, count]) => ({
    labels: { __name__: 'x_bucket', instance, le },
    count,
    from: instant(0),
    to: instant(1),
  }));
}

test('each bucket holds what lies above the bucket before it', () => {
  expect(bucketsOf(histogram('a', { '10': 7, '5': 4, '+Inf': 9 }))).toEqual({
    kind: 'buckets',
    buckets: [
      { upTo: 5, count: 4 },
      { upTo: 10, count: 3 },
      { upTo: null, count: 2 },
    ],
  });
});

test('histograms of several instances add up, also with other bounds', () => {
  expect(
    bucketsOf([...histogram('a', { '5': 1, '+Inf': 3 }), ...histogram('b', { '5': 2, '7': 4, '+Inf': 4 })]),
  ).toEqual({
    kind: 'buckets',
    buckets: [
      { upTo: 5, count: 3 },
      { upTo: 7, count: 2 },
      { upTo: null, count: 2 },
    ],
  });
});

test('a scrape between two additions of a client makes no bucket negative, and no observation twice', () => {
  expect(bucketsOf(histogram('a', { '5': 3, '10': 2, '+Inf': 4 }))).toMatchObject({
    buckets: [{ count: 3 }, { count: 0 }, { count: 1 }],
  });
});

test('series that are no whole histogram are refused', () => {
  expect(bucketsOf(histogram('a', { '5': 3 }))).toMatchObject({
    kind: 'problem',
    reason: expect.stringMatching(/\+Inf/),
  });
  const [one] = histogram('a', { '+Inf': 3 });
  const bare = { ...one, labels: { __name__: 'x_total' } } as Increment;
  expect(bucketsOf([bare])).toMatchObject({ kind: 'problem', reason: expect.stringMatching(/label `le`/) });
});
