/** When an instance that ends again and again is given up. Pure. */
import type { Instant, Milliseconds } from '../../model/instant.ts';

/** So many ends within so long. */
export interface CrashBudget {
  readonly ends: number;
  readonly within: Milliseconds;
}

/** The ends that still count after one more at `now`, oldest first. */
export function countedEnds(
  before: readonly Instant[],
  now: Instant,
  { within, ends }: CrashBudget,
): Instant[] {
  return [...before.filter((at) => at <= now && now - at < within), now].slice(-ends);
}

export function isSpent(counted: readonly Instant[], { ends }: CrashBudget): boolean {
  return counted.length >= ends;
}
