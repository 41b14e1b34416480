import { expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { isWindowOpen, nextOpening } from '../../../src/model/windows.ts';

const now = instant(1_000_000);

test('a window is open on its days in UTC, past midnight too', () => {
  const friday22 = Date.UTC(2026, 10, 20, 22, 0);
  const window = { days: ['Friday' as const], startMinute: 22 * 60, duration: 4 * 3_600_000 };
  const isOpenAt = (at: number): boolean => isWindowOpen([window], instant(at));
  expect([isOpenAt(friday22 - 1), isOpenAt(friday22), isOpenAt(friday22 + 4 * 3_600_000 - 1)]).toEqual([
    false,
    true,
    true,
  ]);
  expect(isOpenAt(friday22 + 4 * 3_600_000)).toBe(false);
  expect(nextOpening([window], instant(friday22 + 1))).toBe(friday22 + 7 * 24 * 3_600_000);
  expect(isWindowOpen([], now)).toBe(true);
});
