/**
 * The Store port in memory: for tests, and for a controller whose state may end with the process. It keeps copies,
 * so that a caller that changes its own object later does not change what is stored.
 */
import type { AuditEvent } from '../../model/audit.ts';
import type { ServiceName } from '../../model/names.ts';
import type { ServiceRecord } from '../../model/state.ts';
import type { Commit, EventQuery, ProxySeen, Store, StoredState } from '../../ports/store.ts';
import { checkCommit, checkEventQuery, checkProxies, isEmptyCommit } from '../commit-rules.ts';

/** How much a store keeps. */
export interface MemoryStoreOptions {
  /** Events kept; the oldest go first. Default 100,000. */
  readonly eventsKept?: number;
}

/** An empty store in memory. It cannot be backed up. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const eventsKept = options.eventsKept ?? 100_000;
  const services = new Map<ServiceName, ServiceRecord>();
  let events: AuditEvent[] = [];
  let lastSequence = 0;
  let nextPublication = 1;
  let proxies: readonly ProxySeen[] = [];
  let everWritten = false;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new Error('the store is closed');
  }

  function write(commit: Commit): readonly AuditEvent[] {
    for (const record of commit.services ?? []) services.set(record.name, record);
    for (const { name } of commit.deletions ?? []) services.delete(name);
    nextPublication = commit.nextPublication ?? nextPublication;
    const written = (commit.events ?? []).map((event) => ({
      ...event,
      sequence: ++lastSequence,
    }));
    events = [...events, ...written].slice(-eventsKept);
    everWritten ||= !isEmptyCommit(commit);
    return written;
  }

  return {
    async load(): Promise<StoredState> {
      assertOpen();
      const sorted = [...services.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
      return structuredClone({
        services: sorted,
        nextPublication,
        proxies,
        everWritten,
      });
    },
    async commit(commit: Commit) {
      assertOpen();
      checkCommit(commit, {
        generationOf: (service) => services.get(service)?.generation ?? 0,
        nextPublication,
      });
      return structuredClone(write(structuredClone(commit)));
    },
    async saveProxies(seen: readonly ProxySeen[]) {
      assertOpen();
      checkProxies(seen);
      proxies = structuredClone(seen.toSorted((one, other) => (one.id < other.id ? -1 : 1)));
    },
    async events(query: EventQuery) {
      assertOpen();
      checkEventQuery(query);
      const matching = events.filter(
        (event) =>
          event.sequence > (query.afterSequence ?? 0) &&
          (query.service === undefined || event.service === query.service),
      );
      return structuredClone(
        query.newest === true ? matching.slice(-query.limit) : matching.slice(0, query.limit),
      );
    },
    async backup() {
      throw new Error(
        'the state is kept in memory only and cannot be backed up; start the controller with a data folder',
      );
    },
    async close() {
      closed = true;
    },
  };
}
