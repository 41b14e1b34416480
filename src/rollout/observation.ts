/** What the plan is told of the world: facts only, all at one time. */
import type { Instance } from '../model/instance.ts';
import type { Instant } from '../model/instant.ts';
import type { CheckRun, Verdict } from '../model/measurement.ts';
import type { VersionName } from '../model/names.ts';
import type { Parity, Roll } from '../model/parity.ts';
import type { PrimaryServiceStanding } from '../model/primary-service.ts';
import type { RuntimeSpec } from '../model/spec.ts';
import type { DrainCertificate } from '../model/state.ts';
import type { WorkSplit } from '../model/workflow.ts';

/** What was observed of one service. */
export interface Observation {
  readonly now: Instant;
  readonly instances: readonly Instance[];
  /** Versions that the runtime lists by address. */
  readonly offered: readonly VersionName[];
  /** The last outcome of each activity, by version. */
  readonly work: ReadonlyMap<VersionName, WorkObservation>;
  /** Proxies that may still send default traffic to a version that should get none; absent: none does. */
  readonly stillRouting: ReadonlyMap<VersionName, readonly string[]>;
  /** How far the proxies follow a retirement, by version. */
  readonly removals: ReadonlyMap<VersionName, RemovalObservation>;
  /** Who that is connected still has a version that leaves the goal states; empty: nobody. Absent: not known. */
  readonly leaving?: ReadonlyMap<VersionName, readonly string[]>;
  /** Where the Service for clients without a proxy leads; absent: the runtime has no such thing. */
  readonly primaryService?: PrimaryServiceStanding;
  /** Of the open rollout; absent where there is none. */
  readonly rollout?: RolloutObservation;
}

/** What was observed of an open rollout. */
export interface RolloutObservation {
  /** How the checks of the present step stand; empty where none guards it. */
  readonly runs: readonly CheckRun[];
  /** What they add up to; absent where no check guards the step. */
  readonly verdict?: Verdict;
  /** How far the proxies follow the routes as they are recorded now. */
  readonly shown: ShownObservation;
  /** How its delegates stand; absent where it waits for none. */
  readonly delegates?: DelegatesObservation;
}

/** How the delegates of a candidate stand. */
export interface DelegatesObservation {
  readonly parity: Parity;
  /** The roll that could be fixed now; absent where nobody knows the delegates of the baseline. */
  readonly roll?: Roll;
}

/** Whether the proxies have taken over the routes of a service. */
export interface ShownObservation {
  /** Every connected proxy has acknowledged them. */
  readonly isEverywhere: boolean;
  /** Connected proxies that have not answered yet. */
  readonly behind: readonly string[];
  /** Connected proxies that rejected them, each with its words. */
  readonly rejected: readonly string[];
  /** From the first acknowledgement to the last, in milliseconds: how long old and new were mixed. */
  readonly mixedFor?: number;
}

/** What the work source said last of a version. */
export interface WorkObservation {
  /** Every instance confirmed the fence, in the same round in which `open` was counted. */
  readonly fenceConfirmed: boolean;
  readonly liftConfirmed: boolean;
  /** Open work in one round; undefined: unknown, which is not zero. */
  readonly open: number | undefined;
  /** What a count of zero would rest on; absent: not counted. */
  readonly certificate?: DrainCertificate;
  /** What the open work is made of; absent: not told. */
  readonly split?: WorkSplit;
  /** Why something was not confirmed or not counted; empty where all was. */
  readonly problem: string;
}

/** Whether all proxies have acknowledged the publication that shows a retirement step. */
export interface RemovalObservation {
  readonly step: 'LeavingGoalStates' | 'Refusing' | 'RemovingCluster' | 'StoppingInstances';
  /** Proxies that have not; empty when it is done. */
  readonly waitingFor: readonly string[];
}

/** The ready instances of a version. */
export function countReady(instances: readonly Instance[], name: VersionName): number {
  return instances.filter(({ version, state }) => version === name && state === 'Ready').length;
}

/** The instances that a version has at least when all is well; endpoints have as many as somebody lists. */
export function instancesAsked(runtime: RuntimeSpec): number {
  switch (runtime.kind) {
    case 'endpoints':
      return 1;
    case 'processes':
      return runtime.instances;
    case 'kubernetes':
      return runtime.autoscaling?.min ?? runtime.replicas;
  }
}
