/**
 * The Store port in memory: for tests, and for a controller whose state may end with the process. It keeps copies,
 * so that a caller that changes its own object later does not change what is stored.
 */
import type { AuditEvent } from '../../model/audit.ts';
import type { ServiceName } from '../../model/names.ts';
import type { ServiceRecord } from '../../model/state.ts';
import {
  type Commit,
  type EventQuery,
  KEPT_MEASUREMENTS,
  type ProxySeen,
  type Store,
  type StoredState,
  type WatcherSeen,
} from '../../ports/store.ts';
import { checkCommit, checkEventQuery, checkProxies, isEmptyCommit } from '../commit-rules.ts';
import { checkWatchers, watcherKey } from '../watcher-rules.ts';
import { EventLog } from './events.ts';
import { MemoryHistory } from './history.ts';
import { storedHistory } from './stored-history.ts';

/** How much a store keeps. */
export interface MemoryStoreOptions {
  /** Events kept; the oldest go first. Default 100,000. */
  readonly eventsKept?: number;
  /** Measurements kept; those of the oldest ended rollouts go first. Default KEPT_MEASUREMENTS. */
  readonly measurementsKept?: number;
}

/** An empty store in memory. It cannot be backed up. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const { eventsKept = 100_000, measurementsKept = KEPT_MEASUREMENTS } = options;
  const history = new MemoryHistory({ measurementsKept });
  const services = new Map<ServiceName, ServiceRecord>();
  const events = new EventLog({ kept: eventsKept });
  let nextPublication = 1;
  let proxies: readonly ProxySeen[] = [];
  const watchers = new Map<string, WatcherSeen>();
  let everWritten = false;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new Error('the store is closed');
  }

  function write(commit: Commit): readonly AuditEvent[] {
    for (const rollout of commit.rollouts ?? []) history.record(rollout);
    for (const record of commit.services ?? []) {
      services.set(record.name, record);
      if (record.rollout !== undefined) history.record(record.rollout);
    }
    for (const roll of commit.rolls ?? []) history.recordRoll(roll);
    for (const { name } of commit.deletions ?? []) {
      services.delete(name);
      history.forget(name);
      for (const [key, { identity }] of watchers) if (identity.service === name) watchers.delete(key);
    }
    nextPublication = commit.nextPublication ?? nextPublication;
    const written = events.append(commit.events ?? []);
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
    async watchers() {
      assertOpen();
      return structuredClone(
        [...watchers].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, seen]) => seen),
      );
    },
    async saveWatchers(changes) {
      assertOpen();
      checkWatchers(changes);
      for (const watcher of structuredClone(changes.saved)) {
        if (services.has(watcher.identity.service)) watchers.set(watcherKey(watcher.identity), watcher);
      }
      for (const box of changes.forgotten) watchers.delete(watcherKey(box));
    },
    async events(query: EventQuery) {
      assertOpen();
      checkEventQuery(query);
      return structuredClone(events.read(query));
    },
    ...storedHistory(history, { assertOpen, assertWritable: assertOpen }),
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
