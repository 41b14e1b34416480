/** What the verbs of delegates take and give; operations/types.ts has the rest. */
import type { Wave } from '../model/delegates.ts';
import type { Artifact, BoxVersion, BoxVersionState, WatcherRecord } from '../model/goal-state.ts';
import type { ServiceName, TenantName, VersionName } from '../model/names.ts';
import type { Parity } from '../model/parity.ts';
import type { RolloutId } from '../model/rollout.ts';
import type { Generation, PastGeneration, WaveHalt } from '../model/waves.ts';
import type { DelegateId } from '../model/workflow.ts';
import type { ChangeOutcome, ChangeRequest } from './types.ts';

export type PublishArtifactRequest = ChangeRequest & { readonly artifact: Artifact };

export type RetryOnBoxesRequest = ChangeRequest & { readonly version: VersionName };

export type DecommissionRequest = ChangeRequest & {
  readonly box: DelegateId;
  /** Takes the order back. */
  readonly undo: boolean;
};

/** The verbs of delegates, and the views of them. */
export interface DelegateOperations {
  /** One artifact for a version, for ever: the same again changes nothing, another one is refused. */
  publishArtifact(request: PublishArtifactRequest): Promise<ChangeOutcome>;
  /** No further box gets the candidate until `resumeWaves` or `skipWave`. */
  haltWaves(request: ChangeRequest): Promise<ChangeOutcome>;
  /** Goes on after a halt; what has failed so far is forgiven. */
  resumeWaves(request: ChangeRequest): Promise<ChangeOutcome>;
  /** Does not wait any longer for what the wave waits for. */
  skipWave(request: ChangeRequest): Promise<ChangeOutcome>;
  /** What is recorded here holds over newer generations that watchers have seen. Needs a reason. */
  reassert(request: ChangeRequest): Promise<ChangeOutcome>;
  /** Boxes that have given a version up try it again. */
  retryOnBoxes(request: RetryOnBoxesRequest): Promise<ChangeOutcome>;
  /** Tells a box to run nothing any more. Needs a reason. */
  decommission(request: DecommissionRequest): Promise<ChangeOutcome>;
  /** Throws OperationError NotFound. */
  delegates(service: ServiceName): DelegatesView;
  /** Throws OperationError NotFound. */
  waves(service: ServiceName): readonly WavesView[];
  /** The delegates of a service in numbers; undefined where nobody runs any. */
  delegateNumbers(service: ServiceName): DelegateNumbers | undefined;
  /** The generation that holds first, then those before it. Throws OperationError NotFound. */
  goalStates(service: ServiceName): GoalStatesView;
}

export interface DelegateNumbers {
  readonly watchers: { readonly connected: number; readonly away: number };
  readonly generation: number;
  /** Waves that have halted. */
  readonly halted: number;
  readonly versions: readonly VersionDelegates[];
}

export interface GoalStatesView {
  readonly current: Generation;
  readonly past: readonly PastGeneration[];
  readonly artifacts: readonly Artifact[];
}

/** The delegates of a service as an operator sees them. */
export interface DelegatesView {
  readonly service: ServiceName;
  /** Sorted by tenant and id. */
  readonly boxes: readonly BoxView[];
  readonly versions: readonly VersionDelegates[];
  readonly waves: readonly WavesView[];
  readonly generation: number;
  /** What is wrong or not known, one sentence each. */
  readonly problems: readonly string[];
}

/** A box: known by its watcher, by a delegate with a stream to a manager, or by both. */
export interface BoxView {
  readonly delegate: DelegateId;
  readonly tenant: TenantName;
  readonly watcher?: WatcherRecord;
  readonly versions: readonly BoxVersionView[];
  readonly isDecommissioned: boolean;
}

export interface BoxVersionView {
  readonly version: VersionName;
  /** As its watcher says; absent: it does not speak of it. */
  readonly stands?: BoxVersion;
  /** Its delegate has a stream to a manager. */
  readonly isRegistered: boolean;
}

export interface VersionDelegates {
  readonly version: VersionName;
  /** With a stream to it, as the source says; absent: not known. */
  readonly connected?: number;
  /** Boxes by what their connected watchers say of it. */
  readonly states: ReadonlyMap<BoxVersionState, number>;
}

/** How a candidate reaches the boxes. */
export interface WavesView {
  readonly rollout: RolloutId;
  readonly candidate: VersionName;
  readonly waves: readonly WaveView[];
  readonly halt?: WaveHalt;
  /** One sentence. */
  readonly because: string;
  readonly isDone: boolean;
}

export interface WaveView {
  readonly wave: Wave;
  readonly progress: 'Ahead' | 'Waiting' | 'Canaries' | 'Rest' | 'Done';
  readonly boxes: number;
  readonly admitted: number;
  /** Of those that were admitted and are connected. */
  readonly ready: number;
  readonly onTheirWay: number;
  readonly failed: number;
  readonly offline: number;
}

/** How the delegates of a rollout's candidate stand. */
export interface RolloutDelegatesView {
  /** Absent: it is not asked any more, or was not asked yet. */
  readonly parity?: Parity;
  /** As the gate last let a step be taken, where it is not asked any more. */
  readonly ready: number;
  readonly expected: number;
  readonly heldBack: readonly TenantName[];
}
