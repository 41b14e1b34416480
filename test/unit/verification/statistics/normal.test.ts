// The normal distribution against scipy 1.17: scipy.stats.norm.sf(z) and norm.isf(p).
import { expect, test } from 'vitest';
import { normalPoint, normalTail } from '../../../../src/verification/statistics/normal.ts';

test.each([
  [0.5, 0.3085375387259869],
  [1.96, 0.024997895148220435],
  [2.999, 0.0013543365337271057],
  [3.001, 0.0013454728250849653],
  [5, 2.866515718791933e-7],
  [8, 6.22096057427174e-16],
  [12, 1.776482112077653e-33],
])('the tail above %d keeps its digits', (z, expected) => {
  expect(Math.abs(normalTail(z) / expected - 1)).toBeLessThan(1e-12);
  expect(normalTail(-z)).toBeCloseTo(1 - expected, 14);
});

test.each([
  [0.4, 0.2533471031357997],
  [0.025, 1.9599639845400545],
  [1e-4, 3.7190164854556804],
  [1e-10, 6.361340902404056],
  [1e-100, 21.273453560965322],
])('the point with the tail %d', (tail, expected) => {
  expect(normalPoint(tail)).toBeCloseTo(expected, 11);
  expect(normalPoint(1 - tail)).toBeCloseTo(tail < 1e-16 ? -Infinity : -expected, 5);
});

test('the ends of the scale are infinite, and what is no chance is refused', () => {
  expect([normalPoint(0), normalPoint(1)]).toEqual([Infinity, -Infinity]);
  expect(() => normalPoint(1.2)).toThrow('a chance must be from 0 to 1, not 1.2');
  expect(() => normalPoint(Number.NaN)).toThrow(RangeError);
});
