/** What is known of a box at one moment, and what a watcher may do about it, in the words that its decisions use. */
import { createHash } from 'node:crypto';
import { type Artifact, artifactStatement, type GoalState } from '../model/goal-state.ts';
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { WatcherPolicy } from '../model/watcher.ts';

/**
 * Names an artifact by its content's hash and everything that is signed: another command is another artifact, though its
 * content and its signature be the same. What is known of the one says nothing of the other.
 */
export type ArtifactKey = string;

export function keyOf(artifact: Artifact): ArtifactKey {
  const signed = createHash('sha256').update(artifactStatement(artifact)).update(artifact.signature);
  return `${artifact.sha256}.${signed.digest('hex')}`;
}

/** Everything that a decision is made of. */
export interface Box {
  readonly now: Instant;
  readonly policy: WatcherPolicy;
  /** Versions that may run beside each other: the stricter of what the box can and what the customer allows. */
  readonly limit: number;
  readonly startDeadline: Milliseconds;
  /** The one that was accepted last; absent: none yet. */
  readonly goal?: GoalState;
  /** At most one for each version. */
  readonly processes: readonly BoxProcess[];
  /** One that is missing was never asked for. */
  readonly artifacts: ReadonlyMap<ArtifactKey, ArtifactStanding>;
  /** Versions that were given up, at most one for each. */
  readonly setbacks: readonly Setback[];
  /** The version that was last seen healthy. */
  readonly lastGood?: Artifact;
}

/** The delegate of one version. */
export interface BoxProcess {
  readonly version: VersionName;
  /** What it was started from. */
  readonly artifact: ArtifactKey;
  /** `Down`: it ended, and waits for its next start. `GivenUp`: it ended too often, and nothing runs. */
  readonly state: 'Starting' | 'Ready' | 'Unready' | 'Down' | 'GivenUp' | 'Draining';
  /** One sentence. */
  readonly reason: string;
  readonly since: Instant;
  readonly restarts: number;
  /** It was healthy at some time with this artifact. */
  readonly wasHealthy: boolean;
  /** Absent: it does not say. */
  readonly openTasks?: number;
}

export type ArtifactStanding =
  | { readonly kind: 'Fetching'; readonly progress: string }
  | { readonly kind: 'Here' }
  /** Without `retryAt` it is not tried again before the artifact or the operator's order changes. */
  | { readonly kind: 'Failed'; readonly reason: string; readonly retryAt?: Instant };

/** A version that ended too often, or was never healthy. */
export interface Setback {
  readonly version: VersionName;
  /** What did; another one is tried. */
  readonly artifact: ArtifactKey;
  readonly since: Instant;
  readonly reason: string;
  readonly restarts: number;
  /** Of which attempt; the next one is tried. Absent: the first. */
  readonly attempt?: number;
}

export type BoxAction =
  | { readonly kind: 'Fetch'; readonly artifact: Artifact; readonly because: string }
  | { readonly kind: 'Start'; readonly artifact: Artifact; readonly because: string }
  /** Takes it out of work, waits for its open tasks, stops it. */
  | { readonly kind: 'Drain'; readonly version: VersionName; readonly because: string }
  /** Nothing of it runs any more: this is written down, and its process forgotten. */
  | { readonly kind: 'GiveUp'; readonly setback: Setback; readonly because: string };

/** How long the last good version rests after it ended too often, where nothing else is healthy. */
export const LAST_GOOD_REST: Milliseconds = 5 * 60_000;
