/** What another policy would have decided about a step of a rollout that was measured. */
import type { Instant } from './instant.ts';
import type { CheckRun, Verdict } from './measurement.ts';

export interface ReplayedStep {
  /** The step's name. */
  readonly step: string;
  readonly attempt: number;
  /** What the rollout's own policy makes of the measurements. */
  readonly decided: Verdict;
  readonly wouldDecide: Verdict;
  /** When the other policy's verdict was first reached; absent: not within what was measured. */
  readonly at?: Instant;
  readonly checks: readonly CheckRun[];
  /** Checks of the other policy that were never measured. */
  readonly unmeasured: readonly string[];
}
