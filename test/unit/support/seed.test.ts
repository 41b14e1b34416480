// Chance in tests can be repeated, and gives way when everything is to run whole.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sample, seed } from '../../support/seed.ts';

const all = Array.from({ length: 100 }, (_, index) => index);

beforeEach(() => {
  vi.stubEnv('SWITCHYARD_FULL', '');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a sample has the size asked for, keeps the order, and is the same for the same seed only', () => {
  const chosen = sample(all, 10, 1);
  expect(chosen).toHaveLength(10);
  expect(chosen).toEqual([...new Set(chosen)].toSorted((a, b) => a - b));
  expect(sample(all, 10, 1)).toEqual(chosen);
  expect(sample(all, 10, 2)).not.toEqual(chosen);
});

test('a sample larger than what there is, is all of it', () => {
  expect(sample(all, 101)).toEqual(all);
});

test('SWITCHYARD_FULL=1 takes all', () => {
  vi.stubEnv('SWITCHYARD_FULL', '1');
  expect(sample(all, 10)).toEqual(all);
});

test.each(['', 'x', '-1', '1.5', '1234567890'])('SWITCHYARD_SEED=%s is refused', (text) => {
  vi.stubEnv('SWITCHYARD_SEED', text);
  expect(() => seed()).toThrow('must be a whole number');
});
