/** Whether a candidate has the delegates that its baseline has, tenant by tenant: what the gate of Register is made of. */
import type { Instant } from './instant.ts';
import type { TenantName } from './names.ts';
import type { RolloutId } from './rollout.ts';
import type { DelegateId } from './workflow.ts';

/** The delegates of the baseline that a rollout waits for, fixed when it began. */
export type Roll =
  | {
      readonly kind: 'named';
      readonly fixedAt: Instant;
      readonly boxes: readonly { readonly delegate: DelegateId; readonly tenant: TenantName }[];
    }
  | {
      readonly kind: 'counted';
      readonly fixedAt: Instant;
      readonly tenants: readonly { readonly tenant: TenantName; readonly count: number }[];
    };

/** The roll of a rollout, as it is kept: apart from the rollout, since it can be large. */
export interface RollRecord {
  readonly rollout: RolloutId;
  readonly roll: Roll;
}

/**
 * Why a box of the roll is not ready, where it is connected.
 * - `WaitingForWave`: its turn has not come. `WaitingForWindow`: its customer's window is closed.
 * - `RefusedByPolicy`: its customer's policy, or its watcher, refuses what it was told.
 * - `NoArtifact`: there is nothing that its watcher could be told to run.
 * - `Fetching`, `Starting`, `Failed`: as its watcher says.
 * - `NotRegistered`: its process is up, and no manager of the candidate knows it.
 * - `Unknown`: nobody can say.
 */
export const MISSING_REASONS = [
  'Failed',
  'RefusedByPolicy',
  'NoArtifact',
  'NotRegistered',
  'Starting',
  'Fetching',
  'WaitingForWave',
  'WaitingForWindow',
  'Unknown',
] as const;
export type MissingReason = (typeof MISSING_REASONS)[number];

export interface MissingBox {
  /** Absent: the source counts without names. */
  readonly delegate?: DelegateId;
  readonly reason: MissingReason;
  /** For a sentence that begins with the box, for example `crash-looping: exited with code 1`. */
  readonly detail: string;
}

export interface TenantParity {
  readonly tenant: TenantName;
  /** `Unknown`: none of its boxes is connected, so nothing shows that they would come. */
  readonly state: 'Passed' | 'Missing' | 'Unknown';
  /** Boxes of the roll that are connected and do not switch after the flip. */
  readonly expected: number;
  /** Of them, registered at a manager of the candidate. */
  readonly ready: number;
  /** By reason, in the order of MISSING_REASONS; as many as `expected` has more than `ready`. */
  readonly missing: readonly MissingBox[];
  /** Boxes that run one version at a time and change to the candidate after the flip: they are not missing. */
  readonly switching: readonly DelegateId[];
  /** Boxes of the roll that are not connected: they are not waited for. */
  readonly offline: { readonly count: number; readonly boxes: readonly DelegateId[] };
}

/** What the gate says. Only `Passed`, `HoldBack` and `Proceed` let the rollout go on. */
export type ParityVerdict =
  | { readonly kind: 'Passed' }
  /** Something is missing, and there is time, or the spec says to wait. */
  | { readonly kind: 'Waiting' }
  /** At the deadline: these tenants are to be held on the baseline, the others go on. */
  | { readonly kind: 'HoldBack'; readonly tenants: readonly TenantName[] }
  /** At the deadline: more tenants are missing than may be held back. */
  | { readonly kind: 'Pause'; readonly tenants: readonly TenantName[] }
  | { readonly kind: 'Proceed'; readonly tenants: readonly TenantName[] }
  | { readonly kind: 'Fail'; readonly tenants: readonly TenantName[] }
  /** Nobody knows: never a pass, and no deadline turns it into one (rule 10). */
  | { readonly kind: 'Unknown' };

export interface Parity {
  readonly verdict: ParityVerdict;
  /** One sentence. */
  readonly because: string;
  /** Of all tenants. */
  readonly expected: number;
  readonly ready: number;
  /** By name. */
  readonly tenants: readonly TenantParity[];
  /** One line for each tenant that is not Passed, bounded. */
  readonly lines: readonly string[];
}
