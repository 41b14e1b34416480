/**
 * What is recorded of the delegates of a service: how far the waves of each candidate have come, and which generation
 * of goal states holds. Small, whatever the number of boxes: it is committed with the service's record.
 */
import type { Wave } from './delegates.ts';
import type { Instant } from './instant.ts';
import type { VersionName } from './names.ts';
import type { RolloutId } from './rollout.ts';
import type { DelegateId } from './workflow.ts';

/**
 * Where the waves of a rollout are. `Waiting`: for the wave's time and window. `Canaries`: its first boxes have the
 * version. `Rest`: the others get it, so many at a time. `Done`: every wave is past, and every box is admitted.
 */
export const WAVE_PHASES = ['Waiting', 'Canaries', 'Rest', 'Done'] as const;
export type WavePhase = (typeof WAVE_PHASES)[number];

/** The waves of one rollout, kept while its candidate is live: what was admitted stays admitted. */
export interface WavesRecord {
  readonly rollout: RolloutId;
  readonly candidate: VersionName;
  /** As they were when the rollout began. */
  readonly waves: readonly Wave[];
  /** Index of the wave whose turn it is; all before it are past. As many as there are waves: `Done`. */
  readonly wave: number;
  readonly phase: WavePhase;
  /** Since when it is in this phase. */
  readonly since: Instant;
  /** Boxes of this wave whose position (goalstate/position) is not above it are admitted; NOBODY: none is. */
  readonly admittedTo: number;
  /** Boxes of this wave that were admitted when this was recorded. */
  readonly admitted: number;
  /** Boxes that had failed when the wave's turn came, or when an operator resumed it: so many no longer count. */
  readonly forgiven: {
    /** Of this wave. */
    readonly here: number;
    /** Of the waves before it. */
    readonly before: number;
  };
  /** True when its rollout has Succeeded: what is left of the waves goes on beside the rollouts that follow. */
  readonly hasSucceeded?: boolean;
  /** Absent: it goes on. */
  readonly halt?: WaveHalt;
  /** The last order of an operator. */
  readonly order?: WaveOrder;
}

/** Below every position. */
export const NOBODY = -1;

/** Why no further box is admitted, until an operator resumes or skips. */
export interface WaveHalt {
  readonly reason: 'CanaryFailed' | 'TooManyFailed' | 'Operator';
  /** One sentence. */
  readonly because: string;
  readonly since: Instant;
}

export interface WaveOrder {
  /** `Resume`: go on, what has failed so far is forgiven. `Skip`: do not wait any longer for what the phase waits for. */
  readonly kind: 'Resume' | 'Skip';
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

/** An operator's order that a box runs nothing any more. */
export interface Decommission {
  readonly delegate: DelegateId;
  readonly by: string;
  readonly reason: string;
  readonly since: Instant;
}

/** An operator's order that boxes which have given a version up try it again. */
export interface BoxRetry {
  readonly version: VersionName;
  /** How many there were for this version, this one included. */
  readonly attempt: number;
  readonly by: string;
  readonly reason: string;
  readonly at: Instant;
}

/** Decommissioned boxes that a service remembers. */
export const MAX_DECOMMISSIONS = 1_000;

/** Boxes that run nothing any more by an operator's order: nobody waits for them. */
export function decommissionedBoxes({
  decommissions,
}: Pick<DelegatesRecord, 'decommissions'>): ReadonlySet<DelegateId> {
  return new Set(decommissions.map(({ delegate }) => delegate));
}

/** A version as the goal states of a generation name it. */
export interface GenerationVersion {
  readonly version: VersionName;
  /** A digest of all facts of its artifact. */
  readonly artifact: string;
  readonly role: GoalRole;
  /** Orders to try it again; absent: none. */
  readonly attempt?: number;
  /** Absent: every box gets it. */
  readonly admission?: {
    readonly rollout: RolloutId;
    readonly wave: number;
    readonly admittedTo: number;
  };
}

/** What a version is for the boxes; a box that cannot run all gets them in this order. */
export const GOAL_ROLES = ['Primary', 'Candidate', 'Previous', 'Other'] as const;
export type GoalRole = (typeof GOAL_ROLES)[number];

/** What all goal states of one generation were made of. */
export interface Generation {
  /** Rises with each change of what any watcher of the service should run; 0: nothing was wished yet. */
  readonly generation: number;
  readonly at: Instant;
  /** One sentence. */
  readonly because: string;
  readonly versions: readonly GenerationVersion[];
  readonly decommissioned: readonly DelegateId[];
}

/** A past generation, for the eyes of an operator. */
export type PastGeneration = Pick<Generation, 'generation' | 'at' | 'because'> & {
  readonly versions: readonly VersionName[];
};

/** Past generations that are kept. */
export const MAX_PAST_GENERATIONS = 50;

/** Generations that watchers have seen, or may have, and that were not given by this record. */
export interface ForeignGenerations {
  /** The last of ours before them. */
  readonly above: number;
  readonly upTo: number;
}

/** Ranges of foreign generations that are remembered. */
export const MAX_FOREIGN = 20;
/** A watcher that reports a generation so far above ours was never told it by any state of this service. */
export const MAX_LEAP = 2 ** 32;

/** What is recorded of the delegates of a service. */
export interface DelegatesRecord {
  readonly current: Generation;
  /** Newest first; the current one is not among them. */
  readonly past: readonly PastGeneration[];
  /** Of each candidate that is still live, by rollout; a version without any is for every box. */
  readonly waves: readonly WavesRecord[];
  readonly decommissions: readonly Decommission[];
  /** The last of each version that is not retired; absent: there are none. */
  readonly retries?: readonly BoxRetry[];
  /**
   * Watchers that report one of these are told nothing until an operator asserts what is recorded here: it was restored
   * from an older state. Their numbers are never given again. Absent: there are none.
   */
  readonly foreign?: readonly ForeignGenerations[];
}
