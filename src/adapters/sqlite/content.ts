/**
 * Reading and writing what an open, verified state file holds of the present: services, proxies, and the audit events.
 * history.ts has the past.
 */
import type { AuditEvent } from '../../model/audit.ts';
import type { ServiceName } from '../../model/names.ts';
import type {
  Commit,
  EventQuery,
  ProxySeen,
  StoredState,
  WatcherChanges,
  WatcherSeen,
} from '../../ports/store.ts';
import { checkCommit, checkEventQuery, checkProxies, isEmptyCommit } from '../commit-rules.ts';
import { oldestReader } from '../stored/oldest-reader.ts';
import { storedEvent, storedProxy, storedService } from '../stored/records.ts';
import type { Shape } from '../stored/shape.ts';
import { storedWatcher } from '../stored/watchers.ts';
import { checkWatchers, watcherKey } from '../watcher-rules.ts';
import { StoreHistory } from './history.ts';
import { type OpenFile, Rows, type RowWriter } from './rows.ts';

/** An open file and how much it keeps. */
export interface ContentOptions extends OpenFile {
  readonly eventsKept: number;
  readonly measurementsKept: number;
}

export class StoreContent {
  readonly #options: ContentOptions;
  readonly #rows: Rows;
  /** Rollouts, measurements and counts of requests. */
  readonly history: StoreHistory;

  constructor(options: ContentOptions) {
    this.#options = options;
    this.#rows = new Rows(options);
    this.history = new StoreHistory({ rows: this.#rows, measurementsKept: options.measurementsKept });
  }

  load(): StoredState {
    return this.#rows.reading(() => {
      const { nextPublication, everWritten } = this.#rows.counters();
      return {
        services: this.#readAll('service', storedService),
        nextPublication,
        proxies: this.#readAll('proxy', storedProxy),
        everWritten,
      };
    });
  }

  events(query: EventQuery): readonly AuditEvent[] {
    checkEventQuery(query);
    const conditions = ['key > :after', ...(query.service === undefined ? [] : ['service = :service'])];
    const order = query.newest === true ? 'DESC' : 'ASC';
    const select = `SELECT key, body FROM event WHERE ${conditions.join(' AND ')} ORDER BY key ${order} LIMIT :limit`;
    return this.#rows.reading(() => {
      const rows = this.#rows.select(select, {
        after: query.afterSequence ?? 0,
        limit: query.limit,
        ...(query.service === undefined ? {} : { service: query.service }),
      });
      const events = rows.map((row) =>
        this.#rows.parse(storedEvent, `event ${String(row['key'])}`, row['body']),
      );
      return query.newest === true ? events.toReversed() : events;
    });
  }

  commit(commit: Commit): readonly AuditEvent[] {
    return this.#rows.writing((writer) => {
      const counters = this.#rows.counters();
      checkCommit(commit, {
        generationOf: (service) => this.#generation(service),
        nextPublication: counters.nextPublication,
      });
      if (isEmptyCommit(commit)) return [];
      this.#writeServices(writer, commit);
      const events = (commit.events ?? []).map((event, index) => ({
        ...event,
        sequence: counters.lastSequence + 1 + index,
      }));
      const lastSequence = counters.lastSequence + events.length;
      this.#append(writer, events, lastSequence);
      writer.setCounters({
        nextPublication: commit.nextPublication ?? counters.nextPublication,
        everWritten: true,
        lastSequence,
      });
      return events;
    });
  }

  /** Replaces the list of proxies; only rows that differ are written. */
  saveProxies(proxies: readonly ProxySeen[]): void {
    checkProxies(proxies);
    this.#rows.writing((writer) => {
      const rows = this.#rows.select('SELECT key, body FROM proxy');
      const stored = new Map(rows.map((row) => [row['key'], row['body']]));
      for (const proxy of proxies) {
        const body = JSON.stringify(proxy);
        if (stored.get(proxy.id) !== body) writer.replace('proxy', { key: proxy.id, body });
        stored.delete(proxy.id);
      }
      for (const id of stored.keys()) writer.remove('proxy', 'WHERE key = :key', { key: String(id) });
    });
  }

  watchers(): readonly WatcherSeen[] {
    return this.#rows.reading(() => this.#readAll('watcher', storedWatcher));
  }

  saveWatchers(changes: WatcherChanges): void {
    checkWatchers(changes);
    this.#rows.writing((writer) => {
      const services = new Set(this.#rows.select('SELECT key FROM service').map((row) => row['key']));
      for (const watcher of changes.saved) {
        const { service } = watcher.identity;
        if (!services.has(service)) continue;
        writer.replace('watcher', {
          key: watcherKey(watcher.identity),
          service,
          body: JSON.stringify(watcher),
        });
      }
      for (const box of changes.forgotten)
        writer.remove('watcher', 'WHERE key = :key', { key: watcherKey(box) });
    });
  }

  /**
   * Moves what was committed from the write-ahead log into the file itself and empties the log. The file alone is then
   * complete; a log that was damaged later could otherwise bring back an older state without a trace.
   */
  checkpoint(): void {
    this.#options.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  #writeServices(
    writer: RowWriter,
    { services = [], deletions = [], rollouts = [], rolls = [] }: Commit,
  ): void {
    for (const rollout of rollouts) this.history.record(writer, rollout);
    for (const record of services) {
      writer.replace('service', { key: record.name, body: JSON.stringify(record) });
      writer.requireReader(oldestReader(record));
      // An older release, which knows no history, may have deleted a service of this name.
      if (record.generation === 1) this.#forget(writer, record.name);
      if (record.rollout !== undefined) this.history.record(writer, record.rollout);
    }
    for (const roll of rolls) this.history.recordRoll(writer, roll);
    for (const { name } of deletions) {
      writer.remove('service', 'WHERE key = :key', { key: name });
      this.#forget(writer, name);
    }
  }

  /** Drops what is kept of a service beside its record. */
  #forget(writer: RowWriter, service: ServiceName): void {
    this.history.forget(writer, service);
    writer.remove('watcher', 'WHERE service = :service', { service });
  }

  #append(writer: RowWriter, events: readonly AuditEvent[], lastSequence: number): void {
    for (const event of events) {
      const { sequence: key, service = null } = event;
      writer.insert('event', { key, service, body: JSON.stringify(event) });
    }
    writer.remove('event', 'WHERE key <= :oldest', { oldest: lastSequence - this.#options.eventsKept });
  }

  #generation(service: string): number {
    const [row] = this.#rows.select(
      "SELECT body ->> '$.generation' AS generation FROM service WHERE key = :service",
      { service },
    );
    return row === undefined ? 0 : Number(row['generation']);
  }

  #readAll<T>(table: 'service' | 'proxy' | 'watcher', shape: Shape<T>): readonly T[] {
    const rows = this.#rows.select(`SELECT key, body FROM ${table} ORDER BY key`);
    return rows.map((row) => this.#rows.parse(shape, `${table} ${JSON.stringify(row['key'])}`, row['body']));
  }
}
