/**
 * How much of its time the controller gives to reading reports: a quarter. Pushes to proxies and the loop come first,
 * so beyond that reports are thrown away unread, and counted.
 */
import type { Milliseconds } from '../../model/instant.ts';

export interface WorkBudget {
  /** Whether there is time to read now. */
  allows(): boolean;
  /** Runs `work` and notes what it took. */
  spend<Result>(work: () => Result): Result;
}

const SHARE = 0.25;
/** A burst that is read whole, for example after a pause of the controller. */
const BURST: Milliseconds = 1_000;

/** `time` is a monotonic clock in milliseconds. */
export function createBudget(time: () => number): WorkBudget {
  let spent = 0;
  let last = time();
  return {
    allows() {
      const now = time();
      spent = Math.max(0, spent - (now - last) * SHARE);
      last = now;
      return spent < BURST;
    },
    spend(work) {
      const begun = time();
      try {
        return work();
      } finally {
        spent += time() - begun;
      }
    },
  };
}
