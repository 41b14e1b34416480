/**
 * Where the recorded state lives. One process owns a store. A commit is all or nothing and, once it has resolved,
 * survives kill -9 (and power loss as far as the file system promises). test/contract/store.ts is the contract.
 */
import type { AuditEvent, NewAuditEvent } from '../model/audit.ts';
import type { Instant } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';

/** What a controller reads when it starts. */
export interface StoredState {
  readonly services: readonly ServiceRecord[];
  /** Publications are numbered from here on; every number below may have been used. */
  readonly nextPublication: number;
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

/** One atomic change. */
export interface Commit {
  /** Records to write; each must be exactly one generation above the stored one (1 when new). */
  readonly services?: readonly ServiceRecord[];
  /** Services to delete, with the generation that the writer read. */
  readonly deletions?: readonly { readonly name: ServiceName; readonly generation: number }[];
  readonly nextPublication?: number;
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

/** Which events to read: those of a service (or all) after a sequence number, oldest first, at most `limit`. */
export interface EventQuery {
  readonly service?: ServiceName;
  readonly afterSequence?: number;
  readonly limit: number;
  /** True: the newest `limit` events, still oldest first. */
  readonly newest?: boolean;
}

export interface Store {
  load(): Promise<StoredState>;
  /** Returns the events with their sequence numbers. Throws GenerationConflictError. */
  commit(commit: Commit): Promise<readonly AuditEvent[]>;
  /** Replaces the list of known proxies; the newest list may be lost in a crash. Does not count as `everWritten`. */
  saveProxies(proxies: readonly ProxySeen[]): Promise<void>;
  events(query: EventQuery): Promise<readonly AuditEvent[]>;
  /** Writes a consistent copy to a new file while running. Throws where the file exists or cannot be written. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}
