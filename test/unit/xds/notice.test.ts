import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createNotice } from '../../../src/xds/notice.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setImmediate', 'setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('the first change is told in the next turn, and many changes at once are told once', () => {
  const tell = vi.fn();
  const changed = createNotice(tell);
  for (let number = 0; number < 100; number += 1) changed();
  expect(tell).not.toHaveBeenCalled();
  vi.runAllTimers();
  expect(tell).toHaveBeenCalledTimes(1);
});

test('a change is told after the change that came while it was told, and none is left untold', () => {
  let known = 0;
  let number = 0;
  const changed = createNotice(() => {
    known = number;
    if (number < 5) {
      number += 1;
      changed();
    }
  });
  changed();
  vi.runAllTimers();
  expect(known).toBe(5);
});

test('while changes keep coming, telling takes at most a tenth of the time', () => {
  const tellingTakes = 50;
  let told = 0;
  const changed = createNotice(() => {
    told += 1;
    vi.advanceTimersByTime(tellingTakes);
  });
  for (let time = 0; time < 10_000; time += 10) {
    changed();
    vi.advanceTimersByTime(10);
  }
  vi.runAllTimers();
  expect(told).toBeGreaterThan(5);
  expect(told * tellingTakes).toBeLessThanOrEqual(1_500);
});
