/**
 * A rollout as recorded: one walk of a candidate towards primary. It is keyed by a change of the wanted version, keeps
 * the policy that it began with, and is final when it ended, until a new version or `retry`.
 */
import type { DelegatesSpec } from './delegates.ts';
import type { Instant, Milliseconds } from './instant.ts';
import type { ServiceName, VersionName } from './names.ts';
import type { PrimaryServiceGap } from './primary-service.ts';
import type { TrafficSpec, VerificationSpec } from './spec.ts';

declare const brand: unique symbol;
/** For example `manager_v43_17`: service, version, and the generation at which it began. */
export type RolloutId = string & { readonly [brand]: 'RolloutId' };

/** The id of the rollout of `version` that began with the record's `generation`. Names have no `_`, so ids differ. */
export function rolloutId(service: ServiceName, version: VersionName, generation: number): RolloutId {
  return `${service}_${version}_${generation}` as RolloutId;
}

/** The states of a rollout (docs/states.md draws the allowed transitions). The last four are ends. */
export const ROLLOUT_STATES = [
  'Waiting',
  'Progressing',
  'Paused',
  'Inconclusive',
  'Succeeded',
  'Aborted',
  'RolledBack',
  'Failed',
] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/** Whether a rollout in this state goes on. */
export function isOpen(state: RolloutState): boolean {
  return state === 'Waiting' || state === 'Progressing' || state === 'Paused' || state === 'Inconclusive';
}

/** Where in its walk a rollout is. `Cohort`: chosen tenants and headers only, no default traffic yet. */
export type RolloutStep =
  | { readonly kind: 'Deploy' }
  /** Its delegates connect; the candidate is Registering until each tenant has on it what it had on the baseline. */
  | { readonly kind: 'Register' }
  | { readonly kind: 'Verify' }
  | { readonly kind: 'Cohort' }
  /** `index` into the policy's steps; a step of 100 is the flip. */
  | { readonly kind: 'Shift'; readonly index: number; readonly weight: number }
  | { readonly kind: 'Soak' };

/** A step as text: `Deploy`, `Shift-25`; the key of its measurements. */
export type StepName = string & { readonly [brand]: 'StepName' };

/** The name of a step. */
export function stepName(step: RolloutStep): StepName {
  return (step.kind === 'Shift' ? `Shift-${step.weight}` : step.kind) as StepName;
}

/** What the rollout was told to do when it began; later changes of the spec count for the next one. */
export interface RolloutPolicy {
  readonly traffic: TrafficSpec;
  /** Absent: nothing verifies it, and it waits for an operator before it moves traffic. */
  readonly verification?: VerificationSpec;
  /** The delegates that it waits for; absent, or of the source `none`: the service has none. */
  readonly delegates?: DelegatesSpec;
}

/** How many delegates were ready, of those that were expected. */
export interface DelegateCounts {
  readonly ready: number;
  readonly expected: number;
  readonly at: Instant;
}

/** One rollout of one service. */
export interface RolloutRecord {
  readonly id: RolloutId;
  readonly service: ServiceName;
  /** The candidate. */
  readonly version: VersionName;
  /** The primary at the beginning: what the candidate is compared with, and where a rollback leads. */
  readonly baseline: VersionName;
  readonly policy: RolloutPolicy;
  readonly startedAt: Instant;
  readonly startedBy: string;
  /** The operator's words; may be empty. */
  readonly reason: string;
  /** Skips waits, never gates. */
  readonly urgent: boolean;
  /** Versions that stay until this rollout has Succeeded: the way back of one that it replaced before that had. */
  readonly keeps: readonly VersionName[];
  /** Services whose rollouts began together and flip in one publication, this one included; empty: it goes alone. */
  readonly group: readonly ServiceName[];
  /** Counts from 1; `retry` raises it. */
  readonly attempt: number;
  readonly state: RolloutState;
  /** Machine-readable, CamelCase. */
  readonly stateReason: string;
  /** One sentence. */
  readonly because: string;
  /** Since when it is in this state. */
  readonly since: Instant;
  readonly step: RolloutStep;
  readonly stepSince: Instant;
  /** When every connected proxy had acknowledged what the step changed; its windows begin after this. */
  readonly stepEverywhere?: Instant;
  /** When the roll was fixed: the delegates that this attempt waits for (kept apart). Absent: not yet, or it has none. */
  readonly rollFixedAt?: Instant;
  /** Its delegates when they last let a step be taken: how many of the roll were ready, of how many. Absent: it waits for none. */
  readonly delegates?: DelegateCounts;
  /** The longest that proxies had the routes of before a step beside those of the step; absent: not measured. */
  readonly mixedFor?: Milliseconds;
  /** When routes and the Service of the primary led to different versions, oldest first; absent: never, as far as was seen. */
  readonly primaryServiceGaps?: readonly PrimaryServiceGap[];
  /** Steps that an operator has promoted past their approval or an undecided gate, by name. */
  readonly promoted: readonly StepName[];
  /** `promote --full`: no more waits or gates on the way to 100 percent; by whom. */
  readonly fullyPromotedBy?: string;
  /** Where the traffic was moved back. */
  readonly movedBackAt?: Instant;
  readonly endedAt?: Instant;
}

/** The order that holds at this time; one whose time is over holds nothing. */
export function freezeAt(freeze: Freeze | undefined, now: Instant): Freeze | undefined {
  return freeze?.until !== undefined && freeze.until <= now ? undefined : freeze;
}

/** An operator's order that default traffic does not move forward. It never blocks abort, rollback or a hold. */
export interface Freeze {
  readonly reason: string;
  readonly by: string;
  readonly since: Instant;
  /** Absent: until `unfreeze`. */
  readonly until?: Instant;
}
