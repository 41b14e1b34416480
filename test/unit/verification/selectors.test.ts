/** Which selectors an expression of PromQL reads. */
import { expect, test } from 'vitest';
import { isSelector, selectorsOf } from '../../../src/verification/selectors.ts';

test('the selectors of an expression stand without range, offset and time, each once', () => {
  expect(
    selectorsOf('sum(rate(a{b=~"5.."}[1m] offset 5m)) / (sum(rate(c[1m])) + a{b=~"5.."} @ 12) or vector(0)'),
  ).toEqual(['a{b=~"5.."}', 'c']);
  expect(selectorsOf('max_over_time(sum({__name__="x"})[1m:5s])')).toEqual(['{__name__="x"}']);
});

test('an expression that reads nothing has none', () => {
  expect(selectorsOf('vector(1) + 2')).toEqual([]);
  expect(selectorsOf('')).toEqual([]);
});

test.each([
  ['x', true],
  [' x{a="b"} ', true],
  ['{__name__="x"}', true],
  ['x[5m]', false],
  ['x offset 5m', false],
  ['sum(x)', false],
  ['x + y', false],
  ['(x)', false],
  ['x y', false],
  ['x{', false],
  ['1', false],
  ['', false],
])('%s: one selector and nothing else is %s', (text, expected) => {
  expect(isSelector(text)).toBe(expected);
});
