/** The machine's clock: the time of day, and sleeps that can be ended. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';

const DAY = 24 * 60 * 60 * 1000;

describe('the system clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('tells the time of the machine', () => {
    expect(systemClock.now()).toBe(1_700_000_000_000);
    vi.setSystemTime(1_700_000_000_500);
    expect(systemClock.now()).toBe(1_700_000_000_500);
  });

  test('sleeps as long as it is told, and not shorter when that is longer than a timer can be', async () => {
    const woken = vi.fn<() => void>();
    const asleep = systemClock.sleep(60 * DAY, new AbortController().signal).then(woken);
    await vi.advanceTimersByTimeAsync(60 * DAY - 1);
    expect(woken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await asleep;
    expect(woken).toHaveBeenCalledOnce();
  });

  test('a sleep ends at once with the reason of its signal, and leaves no timer', async () => {
    const abort = new AbortController();
    const reason = new Error('the controller stops');
    const asleep = systemClock.sleep(DAY, abort.signal);
    abort.abort(reason);
    await expect(asleep).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
    await expect(systemClock.sleep(DAY, abort.signal)).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a sleep that came to its end no longer listens to its signal', async () => {
    const abort = new AbortController();
    const removed = vi.spyOn(abort.signal, 'removeEventListener');
    const asleep = systemClock.sleep(10, abort.signal);
    await vi.advanceTimersByTimeAsync(10);
    await asleep;
    expect(removed).toHaveBeenCalledWith('abort', expect.any(Function));
  });

  test('a length that is no length is refused', async () => {
    const { signal } = new AbortController();
    await expect(systemClock.sleep(-1, signal)).rejects.toThrow(/not -1/);
    await expect(systemClock.sleep(Number.NaN, signal)).rejects.toThrow(/not NaN/);
  });
});
