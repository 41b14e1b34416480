/** How long a failing instance waits before its next start. Pure. */
import type { Milliseconds } from '../../model/instant.ts';

/**
 * Doubles with each failure in a row, up to `max`, and takes half of it at random, so that instances that failed
 * together do not start together. `failures` is at least 1; `random` is from 0 to below 1.
 */
export function restartDelay(failed: {
  failures: number;
  initial: Milliseconds;
  max: Milliseconds;
  random: number;
}): Milliseconds {
  const full = Math.min(failed.max, failed.initial * 2 ** Math.min(failed.failures - 1, 52));
  return Math.round(full / 2 + (full / 2) * failed.random);
}
