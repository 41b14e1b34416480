/** How long whatever failed waits before it is tried again. */
import type { Milliseconds } from './instant.ts';

/** Grows from `initial`, doubled with each failure in a row, to `max`. */
export interface Backoff {
  readonly initial: Milliseconds;
  readonly max: Milliseconds;
}

/**
 * Half of the full wait, and half of it at random, so that those that failed together do not come back together.
 * `failures` in a row count from 1; `random` is from 0 to below 1.
 */
export function retryDelay(
  failed: Backoff & { readonly failures: number; readonly random: number },
): Milliseconds {
  const { initial, max, failures, random } = failed;
  const full = Math.min(max, initial * 2 ** Math.min(Math.max(failures, 1) - 1, 52));
  return Math.round(full / 2 + (full / 2) * random);
}
