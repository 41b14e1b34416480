/** What a user wishes for the delegates of a service: who counts them, how they get a new version, and who may be missing. */
import type { Instant, Milliseconds } from './instant.ts';
import type { TenantName, VersionName } from './names.ts';
import type { MaintenanceWindow, PrometheusSpec } from './spec.ts';
import type { DelegateRegistration } from './workflow.ts';

/** `spec.delegates`, with every default filled in. */
export interface DelegatesSpec {
  /** `none`: the service has no delegates, and a version passes through Registering at once. */
  readonly source: DelegateSourceSpec;
  /** Delegates of the primary that were heard of within this time before a rollout must come to its candidate. */
  readonly activeWithin: Milliseconds;
  /** How long Register may last before `onMissing` decides. */
  readonly deadline: Milliseconds;
  /**
   * What becomes of tenants whose delegates are missing at the deadline. `HoldBack`: they are held on the primary, up to
   * `maxHeldBack`, else the rollout pauses. `Wait`: it waits on. `Proceed`: it goes on without them. `Fail`: it ends.
   */
  readonly onMissing: 'HoldBack' | 'Wait' | 'Proceed' | 'Fail';
  /** Percent of the tenants in the roll that may be held back. */
  readonly maxHeldBack: number;
  /** How long tenants are held back. */
  readonly holdFor: Milliseconds;
  /** In their order. Empty: all boxes at once. */
  readonly waves: readonly Wave[];
}

/** Boxes that get a new version together. */
export interface Wave {
  readonly name: string;
  /** Groups of its boxes; empty: all that no other wave names. */
  readonly groups: readonly string[];
  /** Boxes that go first, alone: the rest of the wave follows when all of them are ready. */
  readonly canaries: number;
  /** After the wave before is done. */
  readonly wait: Milliseconds;
  /** When it may begin, in UTC; empty: at any time. */
  readonly windows: readonly MaintenanceWindow[];
  /** Boxes that may be on their way at a time. */
  readonly maxInFlight: number;
  /** Boxes that may fail before the wave halts. */
  readonly maxFailed: number;
}

/** Who knows the delegates that are connected. */
export type DelegateSourceSpec =
  /** `switchyard.work.v1.DelegateDirectoryService`, answered by any instance for all versions. */
  | { readonly kind: 'grpc' }
  | {
      readonly kind: 'promql';
      /** Delegates that are connected to `{{version}}`: one series for each tenant, without names. */
      readonly query: string;
      readonly prometheus: PrometheusSpec;
      /** Label whose value is the tenant. */
      readonly tenantLabel: string;
    }
  | { readonly kind: 'none' };

/** What a source knows of the delegates that are connected. Unknown is not none. */
export type DelegateAnswer =
  | { readonly kind: 'named'; readonly asOf: Instant; readonly delegates: readonly DelegateRegistration[] }
  /** Numbers without names: nobody can say which box is missing. */
  | {
      readonly kind: 'counted';
      readonly asOf: Instant;
      /** A tenant that is not listed for a version is not known to have any there; that is no proof that it has none. */
      readonly counts: readonly DelegateCount[];
      /** Versions of which nothing is known now; the others are known all the same. */
      readonly unknown: readonly { readonly version: VersionName; readonly reason: string }[];
    }
  | { readonly kind: 'unknown'; readonly reason: string };

/** How many delegates of a tenant are connected to a version. */
export interface DelegateCount {
  readonly version: VersionName;
  readonly tenant: TenantName;
  readonly connected: number;
}

/** What a document means that says nothing of delegates. */
export const NO_DELEGATES: DelegatesSpec = {
  source: { kind: 'none' },
  activeWithin: 24 * 3_600_000,
  deadline: 2 * 3_600_000,
  onMissing: 'HoldBack',
  maxHeldBack: 5,
  holdFor: 168 * 3_600_000,
  waves: [],
};
