/**
 * What is recorded of one service: who is primary, which versions live and in which state, which tenants are
 * held. The store keeps it; only operations and the controller's plan change it, one commit at a time.
 */
import type { Artifact } from './goal-state.ts';
import type { Instant } from './instant.ts';
import type { ServiceName, TenantName, VersionName } from './names.ts';
import type { Freeze, RolloutId, RolloutRecord } from './rollout.ts';
import type { VersionedService } from './spec.ts';
import type { DelegatesRecord } from './waves.ts';

/** The states of a version (docs/states.md draws the allowed transitions). */
export const VERSION_STATES = [
  'Deploying',
  'Registering',
  'Standby',
  'Ramping',
  'Primary',
  'Draining',
  'Drained',
  'Retired',
] as const;
export type VersionState = (typeof VERSION_STATES)[number];

/** A judgement beside the state; the state goes on to Draining. */
export interface VersionMark {
  readonly kind: 'Abandoned' | 'Quarantined';
  readonly reason: string;
  readonly by: string;
  readonly since: Instant;
}

/**
 * How sure it is that no work is open (rule 8). `atomic`: counted in one transaction with the fence. `observed`: counted
 * behind the fence, instance by instance.
 */
export type DrainCertificate = 'atomic' | 'observed';

/** One version of a service, as recorded. */
export interface VersionRecord {
  readonly name: VersionName;
  readonly state: VersionState;
  /** Machine-readable, CamelCase: why it is in this state. */
  readonly reason: string;
  readonly since: Instant;
  readonly mark?: VersionMark;
  /** True from the fence until it was lifted everywhere: its instances were told to take no new work. */
  readonly fenced: boolean;
  /** An operator's order to fence it although some proxies may still send it default traffic. */
  readonly fenceAtOnce?: boolean;
  /** What its being Drained rests on; absent in other states, and where an operator said so or an older release saw it. */
  readonly certificate?: DrainCertificate;
  /** When it was last made primary; the newest are kept longest. Absent: never. */
  readonly lastPrimary?: Instant;
  /** A rollout's order to take it away: it is fenced, and retired when its work has ended. */
  readonly teardown?: { readonly since: Instant; readonly because: string };
  /** How far the retirement has come; absent until `retire` was accepted. */
  readonly retirement?: Retirement;
}

/**
 * Steps of taking a drained version away (rule 8). Where the service has delegates it is first taken out of their goal
 * states, while they can still reach it, so that they close their streams. Then its routes become a refusal while the cluster stays; when every
 * proxy has acknowledged that, the cluster goes; when that is acknowledged too, the instances stop.
 */
export interface Retirement {
  readonly step: 'LeavingGoalStates' | 'Refusing' | 'RemovingCluster' | 'StoppingInstances';
  readonly since: Instant;
  /** An operator's order not to wait for proxies that are behind or away. */
  readonly waiveStragglers: boolean;
}

/** Who gets the default traffic. */
export type Traffic =
  | { readonly kind: 'none' }
  | { readonly kind: 'steady'; readonly primary: VersionName; readonly previous?: VersionName }
  | {
      readonly kind: 'shifting';
      readonly primary: VersionName;
      readonly previous?: VersionName;
      readonly candidate: VersionName;
      /** Percent of default traffic for the candidate, 1 to 99. */
      readonly weight: number;
      /** Mixed into the tenant hash, the same for the whole shift, so that different shifts choose different tenants first. */
      readonly salt: string;
    };

/** An order that a tenant stays on a version: an operator's, or a rollout's that went on without its delegates. */
export interface Hold {
  readonly tenant: TenantName;
  readonly version: VersionName;
  readonly reason: string;
  readonly by: string;
  readonly since: Instant;
  readonly expires: Instant;
  /** The rollout that held the tenant back, since its delegates were missing; absent: an operator's order. */
  readonly heldBackBy?: RolloutId;
}

/** Everything that is stored of one service. */
export interface ServiceRecord {
  readonly name: ServiceName;
  readonly spec: VersionedService;
  /** The document as the user wrote it. */
  readonly document: string;
  /** Goes up by one with each change; a writer that read an older one is refused with ABORTED. */
  readonly generation: number;
  readonly traffic: Traffic;
  readonly versions: readonly VersionRecord[];
  readonly holds: readonly Hold[];
  /** The rollout that goes on, or the last one; absent before the first. */
  readonly rollout?: RolloutRecord;
  /** An operator's order that default traffic does not move forward. */
  readonly freeze?: Freeze;
  /** What boxes are told to run, and how it came about; absent: no watcher was ever to be told anything. */
  readonly delegates?: DelegatesRecord;
  /** What watchers fetch for a version, as it was published: one for a version, never changed. Absent: none. */
  readonly artifacts?: readonly Artifact[];
}

/** Artifacts of one service; those of versions that were retired longest ago go first. */
export const MAX_ARTIFACTS = 100;

/** States in which a pin reaches the version: Registering to Drained. */
export function isActive(state: VersionState): boolean {
  return state !== 'Deploying' && state !== 'Retired';
}

/** The record of a version by name, if there is one. */
export function findVersion(service: ServiceRecord, name: VersionName): VersionRecord | undefined {
  return service.versions.find((version) => version.name === name);
}
