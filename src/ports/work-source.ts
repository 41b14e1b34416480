/** Who knows the open work of a version, so that it can be drained (rule 8). Unknown is not zero. */
import type { Instance } from '../model/instance.ts';
import type { Instant } from '../model/instant.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { DrainSource } from '../model/spec.ts';
import type { DrainCertificate } from '../model/state.ts';
import type { WorkSplit } from '../model/workflow.ts';

export interface WorkSource {
  /**
   * Tells every instance to take no new work, or the store that they share. Those that already know answer the same.
   */
  fence(request: WorkRequest): Promise<FenceOutcome>;
  /** Takes the fence back: the version takes new work again. */
  lift(request: WorkRequest): Promise<FenceOutcome>;
  /** Counts what is open on all instances in one round. */
  count(request: WorkRequest): Promise<WorkCount>;
}

export interface WorkRequest {
  readonly source: DrainSource;
  readonly service: ServiceName;
  readonly version: VersionName;
  /** Since when it is fenced; a count that is older says nothing about what comes after. Absent: it is not fenced. */
  readonly fencedSince?: Instant;
  /** Those of the version. */
  readonly instances: readonly Instance[];
  /** Those of the service's other versions: they may answer for a version whose own are dead, where all share a store. */
  readonly peers: readonly Instance[];
  readonly signal: AbortSignal;
}

export type FenceOutcome =
  /** `counted`: what was open in the same transaction, where the source can say so. */
  | { readonly kind: 'confirmed'; readonly counted?: CountedWork }
  | { readonly kind: 'unconfirmed'; readonly reasons: readonly string[] };

/** One open stream, request or execution. */
export interface OpenWork {
  /** What it is, for example `stream` or `request`. */
  readonly kind: string;
  readonly id: string;
  readonly instance: string;
  readonly since?: Instant;
}

export interface CountedWork {
  readonly kind: 'counted';
  readonly asOf: Instant;
  readonly total: number;
  readonly open: readonly OpenWork[];
  /** `atomic`: fence and count are of one transaction, so that no start can have come between. */
  readonly certificate: DrainCertificate;
  /** Absent: the source knows only the total. */
  readonly split?: WorkSplit;
}

export type WorkCount = CountedWork | { readonly kind: 'unknown'; readonly reason: string };
