/**
 * Where the recorded state lives. One process owns a store. A commit is all or nothing and, once it has resolved,
 * survives kill -9 (and power loss as far as the file system promises). test/contract/store.ts is the contract.
 */
import type { AuditEvent, NewAuditEvent } from '../model/audit.ts';
import type { WatcherRecord } from '../model/goal-state.ts';
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { Measurement } from '../model/measurement.ts';
import type { ServiceName } from '../model/names.ts';
import type { Roll, RollRecord } from '../model/parity.ts';
import type { RolloutId, RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { TrafficCount, TrafficCoverage } from '../model/traffic.ts';
import type { DelegateId } from '../model/workflow.ts';

/** What a controller reads when it starts. */
export interface StoredState {
  readonly services: readonly ServiceRecord[];
  /** Publications are numbered from here on; every number below may have been used. */
  readonly nextPublication: number;
  /** The highest number that was committed with records, as followers see it; absent where none is kept. */
  readonly publication?: number;
  readonly proxies: readonly ProxySeen[];
  /** Whether anything was ever committed: an empty store that meets configured proxies answers nothing (rule 7). */
  readonly everWritten: boolean;
}

/** When a proxy was last connected; a proxy that went away is a straggler for a grace time (rule 5). */
export interface ProxySeen {
  /** Its node id. */
  readonly id: string;
  readonly kind: 'envoy' | 'grpc';
  readonly lastSeen: Instant;
  /** The last publication that it acknowledged in full; 0 if none. */
  readonly publication: number;
}

/** A watcher as it was last seen. */
export type WatcherSeen = Omit<WatcherRecord, 'isConnected'>;

/** What has changed of the watchers. */
export interface WatcherChanges {
  /** Each replaces what is stored of its box. */
  readonly saved: readonly WatcherSeen[];
  readonly forgotten: readonly { readonly service: ServiceName; readonly id: DelegateId }[];
}

/** One atomic change. */
export interface Commit {
  /** Records to write; each must be exactly one generation above the stored one (1 when new). */
  readonly services?: readonly ServiceRecord[];
  /** Rollouts that ended with this change and made way for another one of their service: kept as they ended. */
  readonly rollouts?: readonly RolloutRecord[];
  /** Rolls of rollouts that are stored or written with this change; each replaces the one before. */
  readonly rolls?: readonly RollRecord[];
  /** Services to delete, with the generation that the writer read. */
  readonly deletions?: readonly { readonly name: ServiceName; readonly generation: number }[];
  readonly nextPublication?: number;
  /**
   * The number under which the records of this change are published: below `nextPublication`, and kept with them where other
   * replicas publish them too. Absent: they are published under numbers that nobody else needs to know.
   */
  readonly publication?: number;
  readonly events?: readonly NewAuditEvent[];
}

/** The writer had read an older generation; nothing was written. */
export class GenerationConflictError extends Error {
  override readonly name = 'GenerationConflictError';
  readonly service: ServiceName;
  readonly expected: number;
  readonly actual: number;
  constructor(conflict: { service: ServiceName; expected: number; actual: number }) {
    super(
      `${conflict.service} is at generation ${conflict.actual}, but the change was made for generation ${conflict.expected}; read it again and repeat`,
    );
    this.service = conflict.service;
    this.expected = conflict.expected;
    this.actual = conflict.actual;
  }
}

/** Of several replicas one may write, and this one may not, or not any more. What it holds can still be read. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  /** Who leads, as it calls itself; empty where nobody is known to. */
  readonly leader: string;
  constructor(leader: string) {
    super(
      leader === ''
        ? 'this replica does not lead, and none is known that does; repeat in a few seconds'
        : `this replica does not lead, ${leader} does; ask that one`,
    );
    this.leader = leader;
  }
}

/** Which events to read: those of a service (or all) after a sequence number, oldest first, at most `limit`. */
export interface EventQuery {
  readonly service?: ServiceName;
  readonly afterSequence?: number;
  readonly limit: number;
  /** True: the newest `limit` events, still oldest first. */
  readonly newest?: boolean;
}

/** Which rollouts to read, newest first. */
export interface RolloutQuery {
  readonly service?: ServiceName;
  readonly id?: RolloutId;
  readonly limit: number;
}

/** What is kept of rollouts that ended: the newest of each service, with their measurements. */
export const KEPT_ROLLOUTS = 50;

/** Measurements kept of all services together. Beyond it those of the oldest ended rollouts go, all of a rollout at once. */
export const KEPT_MEASUREMENTS = 100_000;

/** How long counts of requests are kept. */
export const TRAFFIC_KEPT: Milliseconds = 8 * 24 * 3_600_000;

export interface Store {
  /** When the past begins that is kept here: events, measurements and counts before it are not. Absent: it is whole. */
  readonly historySince?: Instant;
  load(): Promise<StoredState>;
  /** Returns the events with their sequence numbers. Throws GenerationConflictError. */
  commit(commit: Commit): Promise<readonly AuditEvent[]>;
  /** Replaces the list of known proxies; the newest list may be lost in a crash. Does not count as `everWritten`. */
  saveProxies(proxies: readonly ProxySeen[]): Promise<void>;
  /** All watchers, sorted by service and id. */
  watchers(): Promise<readonly WatcherSeen[]>;
  /**
   * Writes what changed, all or none; those of a service that is not stored are dropped, and those of a deleted service go
   * with it. The newest save may be lost in a crash. Does not count as `everWritten`.
   */
  saveWatchers(changes: WatcherChanges): Promise<void>;
  events(query: EventQuery): Promise<readonly AuditEvent[]>;
  /**
   * The rollouts that services had, each as it was last committed with its service; the one that goes on included. Those
   * of a deleted service go with it; beyond KEPT_ROLLOUTS of a service the oldest go, with their measurements. Newest
   * first: by when each was committed for the first time.
   */
  rollouts(query: RolloutQuery): Promise<readonly RolloutRecord[]>;
  /** The roll of a rollout; undefined where it has none. It goes with its rollout. */
  roll(rollout: RolloutId): Promise<Roll | undefined>;
  /**
   * Adds measurements, all or none. Those of an unknown rollout are dropped. Does not count as `everWritten`. Throws
   * TypeError for what could not be read back: every number must be finite.
   */
  appendMeasurements(measurements: readonly Measurement[]): Promise<void>;
  /** All measurements of a rollout, in the order in which they were added. */
  measurements(rollout: RolloutId): Promise<readonly Measurement[]>;
  /**
   * Replaces the counts of the same service, version, route, result and span. Counts older than TRAFFIC_KEPT before the
   * newest go, and those of a deleted service with it. The newest save may be lost in a crash. Does not count as
   * `everWritten`.
   */
  saveTraffic(counts: readonly TrafficCount[]): Promise<void>;
  /** Counts of a service whose span begins in [from, to), oldest first. */
  traffic(query: {
    readonly service: ServiceName;
    readonly from: Instant;
    readonly to: Instant;
  }): Promise<readonly TrafficCount[]>;
  /**
   * Replaces the coverage that has the same `from`. Those that ended more than TRAFFIC_KEPT before the newest go. The
   * newest save may be lost in a crash. Does not count as `everWritten`.
   */
  saveCoverage(coverage: TrafficCoverage): Promise<void>;
  /** Coverages that have a part in [from, to), oldest first. */
  coverage(query: { readonly from: Instant; readonly to: Instant }): Promise<readonly TrafficCoverage[]>;
  /** Writes a consistent copy to a new file while running. Throws where the file exists or cannot be written. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}
