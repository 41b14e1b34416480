/** How long a delegate waits before it connects again: full jitter, since thousands may have been cut off at once. Pure. */

/** Lengths of time are milliseconds. */
export interface Patience {
  readonly initial: number;
  readonly most: number;
  /** A stream that lived for so long was no failure. */
  readonly stableAfter: number;
}

/** Failures in a row, this one included. */
export function failuresAfter(ended: { failures: number; lived: number; patience: Patience }): number {
  return ended.lived >= ended.patience.stableAfter ? 1 : ended.failures + 1;
}

/** From nothing to twice what it was at most the last time. `random` is from 0 to below 1. */
export function reconnectDelay(failed: { failures: number; patience: Patience; random: number }): number {
  const { failures, patience, random } = failed;
  return Math.round(Math.min(patience.most, patience.initial * 2 ** Math.min(failures - 1, 30)) * random);
}
