/**
 * What was measured for a check, kept whole: the data that a verdict was made of is stored with the verdict, so a
 * stored rollout can be judged again by another policy.
 */
import type { CheckState } from './check.ts';
import type { Instant } from './instant.ts';
import type { ServiceName, VersionName } from './names.ts';
import type { RolloutId, StepName } from './rollout.ts';

/** Where a measurement belongs: one check in one step of one attempt of a rollout. */
export interface MeasurementKey {
  readonly rollout: RolloutId;
  /** 1 for the first walk; `retry` counts up, so that a retried rollout is judged afresh. */
  readonly attempt: number;
  readonly step: StepName;
  readonly check: string;
}

/** One look at one check. */
export interface Measurement extends MeasurementKey {
  readonly service: ServiceName;
  readonly version: VersionName;
  readonly baseline?: VersionName;
  /** When it ended. */
  readonly at: Instant;
  /** What it covers. Windows of one check in one step do not overlap, so their counts add up. */
  readonly window: { readonly from: Instant; readonly to: Instant };
  /** The queries as they were sent. */
  readonly queries: readonly string[];
  readonly outcome: MeasuredOutcome;
  readonly judgement: Judgement;
}

/** `Error`: it could not be measured. `NoData`: it was, and there was nothing, or nothing new enough, or not a number. */
export type MeasuredOutcome =
  | { readonly kind: 'Data'; readonly data: MeasuredData }
  | { readonly kind: 'NoData'; readonly reason: string }
  | { readonly kind: 'Error'; readonly reason: string };

/** The measured facts of both sides; the baseline's where the check compares. */
export type MeasuredData =
  /** One number for each side. */
  | { readonly kind: 'value'; readonly candidate: number; readonly baseline?: number }
  /** Events among trials (errors among requests), counted from raw counter samples. */
  | { readonly kind: 'ratio'; readonly candidate: Proportion; readonly baseline?: Proportion }
  /** Observations by bucket. */
  | {
      readonly kind: 'histogram';
      readonly candidate: readonly Bucket[];
      readonly baseline?: readonly Bucket[];
    }
  /** A probe or a webhook: `approved` passes, `refused` fails, `undecided` is neither yet. */
  | {
      readonly kind: 'answer';
      readonly answer: 'approved' | 'refused' | 'undecided';
      readonly detail: string;
    };

export interface Proportion {
  readonly events: number;
  readonly total: number;
}

/** Observations above the bucket before and up to `upTo` (not cumulative); the last bucket's `upTo` may be Infinity, stored as null. */
export interface Bucket {
  readonly upTo: number | null;
  readonly count: number;
}

/** What one measurement says, in numbers and in one sentence. */
export interface Judgement {
  readonly state: Extract<CheckState, 'Passed' | 'Failed' | 'Error' | 'Inconclusive' | 'NoData'>;
  /** The candidate's value in the metric's unit. */
  readonly value?: number;
  /** The baseline's value. */
  readonly baseline?: number;
  /** The condition in words: `at least 99 %`, `at most 10 % above v1`. */
  readonly limit: string;
  readonly samples: { readonly candidate: number; readonly baseline?: number };
  /** Confidence interval of the value (limit) or of the difference to the baseline (comparison). */
  readonly interval?: { readonly low: number; readonly high: number };
  /** The smallest effect that this much traffic could have shown, in the unit of the tolerance. */
  readonly smallestEffect?: number;
  /** `success rate 94.8 % of 1,204 requests is below 99 %`. */
  readonly because: string;
}

/** How a check stands in one step: a fold over its measurements. */
export interface CheckRun {
  readonly check: string;
  readonly state: CheckState;
  /** Counts of measurements by what they said. */
  readonly passed: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly noData: number;
  readonly errors: number;
  /** Errors since the last measurement that was none. */
  readonly consecutiveErrors: number;
  readonly last?: Measurement;
  readonly because: string;
  /** When the next measurement is due; absent when it has ended. */
  readonly nextAt?: Instant;
}

/**
 * What the checks of a gate add up to, worst first: Failed, Error, Inconclusive, NoData, Running, Passed. A gate with no
 * deciding check is Passed, and says so.
 */
export interface Verdict {
  readonly state: 'Running' | 'Passed' | 'Failed' | 'Error' | 'Inconclusive' | 'NoData';
  /** One sentence with the measured values and limits. */
  readonly because: string;
  /** The checks that decided. */
  readonly deciding: readonly string[];
  /** 0 to 100: the weighted share of the ended checks that passed; absent while none has ended. */
  readonly score?: number;
}
