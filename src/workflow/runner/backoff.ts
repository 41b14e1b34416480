/** How long a failed piece of work waits before it is tried again. Pure. */
import type { Milliseconds } from '../../model/instant.ts';

/** Grows from `initial`, doubled with each attempt, to `most`. */
export interface Backoff {
  readonly initial: Milliseconds;
  readonly most: Milliseconds;
}

/** Between half of the full delay and all of it, so that what failed together does not come back together. `attempt` counts from 1; `random` is from 0 to below 1. */
export function retryDelay(failed: { backoff: Backoff; attempt: number; random: number }): Milliseconds {
  const { backoff, attempt, random } = failed;
  const full = Math.min(backoff.most, backoff.initial * 2 ** Math.min(Math.max(attempt, 1) - 1, 40));
  return Math.round(full / 2 + (full / 2) * random);
}
