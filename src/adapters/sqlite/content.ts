/**
 * Reading and writing the content of an open, verified state file. Every write is one transaction that keeps rows,
 * counters and sums together, and that is on the disk when the function returns (WAL with synchronous=FULL).
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { AuditEvent, NewAuditEvent } from '../../model/audit.ts';
import type { ServiceRecord } from '../../model/state.ts';
import type { Commit, EventQuery, ProxySeen, StoredState } from '../../ports/store.ts';
import { checkCommit, checkEventQuery, checkProxies, isEmptyCommit } from '../commit-rules.ts';
import { storedEvent, storedProxy, storedService } from '../stored/records.ts';
import type { Shape } from '../stored/shape.ts';
import { type RowContent, rowDigest, TableSum } from './digest.ts';
import { corrupt, SQLITE, StoreWriteError, sqliteCode } from './errors.ts';
import { type Counters, readMeta, type Seal, writeMeta } from './meta.ts';

/** An open file and how much it keeps. */
export interface ContentOptions {
  readonly database: DatabaseSync;
  readonly file: string;
  readonly eventsKept: number;
}

export class StoreContent {
  readonly #options: ContentOptions;
  readonly #statements = new Map<string, StatementSync>();

  constructor(options: ContentOptions) {
    this.#options = options;
  }

  load(): StoredState {
    return this.#reading(() => {
      const { nextPublication, everWritten } = readMeta(this.#options, 'counters');
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
    return this.#reading(() => {
      const rows = this.#statement(select).all({
        after: query.afterSequence ?? 0,
        limit: query.limit,
        ...(query.service === undefined ? {} : { service: query.service }),
      });
      const events = rows.map((row) => this.#read(storedEvent, `event ${String(row['key'])}`, row['body']));
      return query.newest === true ? events.toReversed() : events;
    });
  }

  commit(commit: Commit): readonly AuditEvent[] {
    return this.#transaction(() => {
      const counters = readMeta(this.#options, 'counters');
      checkCommit(commit, {
        generationOf: (service) => this.#generation(service),
        nextPublication: counters.nextPublication,
      });
      if (isEmptyCommit(commit)) return [];
      const sums = this.#sums();
      for (const record of commit.services ?? []) this.#put(sums.service, 'service', record.name, record);
      for (const { name } of commit.deletions ?? []) this.#remove(sums.service, 'service', name);
      const events = (commit.events ?? []).map((event, index) =>
        numbered(event, counters.lastSequence + 1 + index),
      );
      for (const event of events) this.#append(sums.event, event);
      const lastSequence = counters.lastSequence + events.length;
      this.#prune(sums.event, lastSequence);
      this.#finish(sums, {
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
    this.#transaction(() => {
      const stored = new Map(
        this.#statement('SELECT key, body FROM proxy')
          .all()
          .map((row) => [row['key'], row['body']]),
      );
      const sums = this.#sums();
      for (const proxy of proxies) {
        if (stored.get(proxy.id) !== JSON.stringify(proxy)) this.#put(sums.proxy, 'proxy', proxy.id, proxy);
        stored.delete(proxy.id);
      }
      for (const id of stored.keys()) this.#remove(sums.proxy, 'proxy', String(id));
      this.#finish(sums, readMeta(this.#options, 'counters'));
    });
  }

  /**
   * Moves what was committed from the write-ahead log into the file itself and empties the log. The file alone is then
   * complete; a log that was damaged later could otherwise bring back an older state without a trace.
   */
  checkpoint(): void {
    this.#options.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  #generation(service: string): number {
    const row = this.#statement(
      "SELECT body ->> '$.generation' AS generation FROM service WHERE key = ?",
    ).get(service);
    return row === undefined ? 0 : Number(row['generation']);
  }

  #sums(): Record<keyof Seal, TableSum> {
    const seal = readMeta(this.#options, 'seal');
    return {
      service: TableSum.parse(seal.service),
      proxy: TableSum.parse(seal.proxy),
      event: TableSum.parse(seal.event),
    };
  }

  #finish(sums: Record<keyof Seal, TableSum>, counters: Counters): void {
    const { database } = this.#options;
    writeMeta(database, 'counters', counters);
    writeMeta(database, 'seal', {
      service: sums.service.text,
      proxy: sums.proxy.text,
      event: sums.event.text,
    });
  }

  #put(sum: TableSum, table: 'service' | 'proxy', key: string, record: ServiceRecord | ProxySeen): void {
    this.#remove(sum, table, key);
    const body = JSON.stringify(record);
    const digest = rowDigest([table, key, body]);
    this.#statement(`INSERT INTO ${table} (key, body, digest) VALUES (?, ?, ?)`).run(key, body, digest);
    sum.add(digest);
  }

  #remove(sum: TableSum, table: 'service' | 'proxy', key: string): void {
    const removed = this.#statement(`DELETE FROM ${table} WHERE key = ? RETURNING digest`).all(key);
    for (const row of removed) sum.subtract(row['digest'] as Uint8Array);
  }

  #append(sum: TableSum, event: AuditEvent): void {
    const body = JSON.stringify(event);
    const content: RowContent = ['event', event.sequence, event.service ?? null, body];
    const digest = rowDigest(content);
    this.#statement('INSERT INTO event (key, service, body, digest) VALUES (?, ?, ?, ?)').run(
      event.sequence,
      event.service ?? null,
      body,
      digest,
    );
    sum.add(digest);
  }

  #prune(sum: TableSum, lastSequence: number): void {
    const oldest = lastSequence - this.#options.eventsKept;
    const removed = this.#statement('DELETE FROM event WHERE key <= ? RETURNING digest').all(oldest);
    for (const row of removed) sum.subtract(row['digest'] as Uint8Array);
  }

  #readAll<T>(table: 'service' | 'proxy', shape: Shape<T>): readonly T[] {
    const rows = this.#statement(`SELECT key, body FROM ${table} ORDER BY key`).all();
    return rows.map((row) => this.#read(shape, `${table} ${JSON.stringify(row['key'])}`, row['body']));
  }

  #read<T>(shape: Shape<T>, row: string, body: unknown): T {
    try {
      return shape.read(JSON.parse(String(body)), '');
    } catch (error) {
      throw corrupt(this.#options.file, `the row of ${row} cannot be read: ${(error as Error).message}`);
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#options.database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #transaction<T>(write: () => T): T {
    const { database } = this.#options;
    try {
      database.exec('BEGIN IMMEDIATE');
      const result = write();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has itself rolled back after some errors, a full disk for one.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw this.#explained(error);
    }
  }

  #explained(error: unknown): unknown {
    const { file } = this.#options;
    const code = sqliteCode(error);
    if (code === undefined) return error;
    const { message } = error as Error;
    if (code === SQLITE.CORRUPT || code === SQLITE.NOTADB) return corrupt(file, message);
    return new StoreWriteError(
      `${file} could not be written, nothing was changed: ${message}${adviceFor(code)}`,
    );
  }
}

function adviceFor(code: number): string {
  if (code === SQLITE.FULL || code === SQLITE.IOERR) return '; free space on its volume, then repeat';
  if (code === SQLITE.READONLY) return '; make the file and its folder writable, then repeat';
  return '';
}

function numbered(event: NewAuditEvent, sequence: number): AuditEvent {
  return { ...event, sequence };
}
