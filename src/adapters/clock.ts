/**
 * The Clock port over the clock of this machine. It is the only place where production code reads the time of day.
 */
import { instant } from '../model/instant.ts';
import type { Clock } from '../ports/clock.ts';

/** A timer of Node holds at most this many milliseconds; a longer one would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => instant(Date.now()),
  async sleep(length, signal) {
    if (Number.isNaN(length) || length < 0)
      throw new RangeError(`a sleep must last 0 ms or longer, not ${length}`);
    let rest = length;
    do {
      const part = Math.min(rest, LONGEST_TIMER);
      await oneTimer(part, signal);
      rest -= part;
    } while (rest > 0);
  },
};

function oneTimer(length: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, length);
    function onAbort(): void {
      clearTimeout(timer);
      reject(signal.reason);
    }
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
