/** How long what failed waits. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryDelay } from '../../../src/model/backoff.ts';

test('the wait doubles with each failure in a row, up to the greatest', () => {
  const waits = [1, 2, 3, 4, 5, 6].map((failures) =>
    retryDelay({ failures, initial: 100, max: 1000, random: 0.5 }),
  );
  expect(waits).toEqual([75, 150, 300, 600, 750, 750]);
});

test('half of the wait is chance', () => {
  expect(retryDelay({ failures: 1, initial: 100, max: 1000, random: 0 })).toBe(50);
  expect(retryDelay({ failures: 1, initial: 100, max: 1000, random: 0.999 })).toBe(100);
});

test('the wait is never below half of the first nor above the greatest, after however many failures', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 0, max: 3_600_000 }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (failures, initial, more, random) => {
        const delay = retryDelay({ failures, initial, max: initial + more, random });
        expect(delay).toBeGreaterThanOrEqual(Math.floor(initial / 2));
        expect(delay).toBeLessThanOrEqual(initial + more);
      },
    ),
  );
});
