import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failuresAfter, reconnectDelay } from '../../../../examples/delegate/reconnect.ts';
import { retryDelay } from '../../../../src/model/backoff.ts';
import { seed } from '../../../support/seed.ts';

const backoff = { initial: 200, max: 60_000 };
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('a retry waits between half of the doubled time and all of it, and never longer than the most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), random, (failures, chance) => {
      const full = Math.min(60_000, 200 * 2 ** Math.min(failures - 1, 40));
      const delay = retryDelay({ ...backoff, failures, random: chance });
      expect(delay).toBeGreaterThanOrEqual(Math.floor(full / 2));
      expect(delay).toBeLessThanOrEqual(full);
    }),
    { seed: seed() },
  );
});

const patience = { initial: 500, most: 30_000, stableAfter: 60_000 };

test('a delegate connects again after any time up to the doubled one: those that were cut off together spread out', () => {
  const delays = [0, 0.25, 0.5, 0.75, 0.999].map((chance) =>
    reconnectDelay({ failures: 3, patience, random: chance }),
  );
  expect(delays).toEqual([0, 500, 1_000, 1_500, 1_998]);
  expect(reconnectDelay({ failures: 1_000, patience, random: 0.999 })).toBeLessThanOrEqual(30_000);
});

test('a stream that was stable is no failure: the next wait is the shortest again', () => {
  expect(failuresAfter({ failures: 7, lived: 59_999, patience })).toBe(8);
  expect(failuresAfter({ failures: 7, lived: 60_000, patience })).toBe(1);
});
