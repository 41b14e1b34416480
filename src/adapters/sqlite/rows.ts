/**
 * Rows of an open, verified state file. What is written keeps rows, counters and sums together in one
 * transaction, which is on the disk when the call returns (WAL with synchronous=FULL).
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Shape } from '../stored/shape.ts';
import { rowDigest, TableSum } from './digest.ts';
import { corrupt, SQLITE, StoreWriteError, sqliteCode } from './errors.ts';
import { type Counters, readMeta, writeMeta } from './meta.ts';
import { contentOf, type Row } from './seal.ts';
import { TABLES, type TableName } from './tables.ts';

/** An open file. */
export interface OpenFile {
  readonly database: DatabaseSync;
  readonly file: string;
}

/** Values for the `:names` of a statement. */
export type Parameters = Record<string, string | number>;

/** Columns and their values; `key` may be left to SQLite, which takes the next number. */
export type NewRow = Readonly<Record<string, string | number | null>>;

export class Rows {
  readonly #source: OpenFile;
  readonly #statements = new Map<string, StatementSync>();

  constructor(source: OpenFile) {
    this.#source = source;
  }

  /** Runs a statement of ours that reads. */
  select(sql: string, parameters: Parameters = {}): readonly Row[] {
    return this.#statement(sql).all(parameters);
  }

  /** Takes a body of JSON apart. `name` says which row it is, for the error. Throws StoreRefusedError (Corrupt). */
  parse<T>(shape: Shape<T>, name: string, body: unknown): T {
    try {
      return shape.read(JSON.parse(String(body)), '');
    } catch (error) {
      throw corrupt(this.#source.file, `the row of ${name} cannot be read: ${(error as Error).message}`);
    }
  }

  counters(): Counters {
    return readMeta(this.#source, 'counters');
  }

  /** Runs what only reads. Throws StoreRefusedError, StoreWriteError. */
  reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Runs what writes, all or nothing. Throws StoreRefusedError, StoreWriteError, and what `write` throws. */
  writing<T>(write: (writer: RowWriter) => T): T {
    const { database } = this.#source;
    try {
      database.exec('BEGIN IMMEDIATE');
      const writer = new RowWriter(this.#source, (sql) => this.#statement(sql));
      const result = write(writer);
      writer.finish();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has itself rolled back after some errors, a full disk for one.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw this.#explained(error);
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#source.database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #explained(error: unknown): unknown {
    const { file } = this.#source;
    const code = sqliteCode(error);
    if (code === undefined) return error;
    const { message } = error as Error;
    if (code === SQLITE.CORRUPT || code === SQLITE.NOTADB) return corrupt(file, message);
    return new StoreWriteError(
      `${file} could not be written, nothing was changed: ${message}${adviceFor(code)}`,
    );
  }
}

/** Writes within one transaction. */
export class RowWriter {
  readonly #source: OpenFile;
  readonly #statement: (sql: string) => StatementSync;
  readonly #sums = new Map<TableName, TableSum>();

  constructor(source: OpenFile, statement: (sql: string) => StatementSync) {
    this.#source = source;
    this.#statement = statement;
  }

  /** Adds a row. */
  insert(table: TableName, row: NewRow): void {
    const keyed = 'key' in row ? row : { key: this.#nextKey(table), ...row };
    const digest = rowDigest(contentOf(table, keyed));
    const columns = [...TABLES[table].columns, 'digest'];
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((name) => `:${name}`).join(', ')})`;
    this.#statement(sql).run({ ...keyed, digest });
    this.#sum(table).add(digest);
  }

  /** Takes rows away. */
  remove(table: TableName, where: string, parameters: Parameters): void {
    const removed = this.#statement(`DELETE FROM ${table} ${where} RETURNING digest`).all(parameters);
    for (const row of removed) this.#sum(table).subtract(row['digest'] as Uint8Array);
  }

  /** Puts a row in the place of the one with its key, if there is one. */
  replace(table: TableName, row: NewRow & { readonly key: string | number }): void {
    this.remove(table, 'WHERE key = :key', { key: row.key });
    this.insert(table, row);
  }

  /** How many rows a table has. */
  count(table: TableName): number {
    return this.#sum(table).rows;
  }

  setCounters(counters: Counters): void {
    writeMeta(this.#source.database, 'counters', counters);
  }

  /** From now on releases that know only forms below `reader` refuse the file. */
  requireReader(reader: number): void {
    const { schema, minReader } = readMeta(this.#source, 'format');
    if (minReader < reader) writeMeta(this.#source.database, 'format', { schema, minReader: reader });
  }

  /** Writes the sums of what was changed. */
  finish(): void {
    if (this.#sums.size === 0) return;
    const changed = [...this.#sums].map(([table, sum]) => [table, sum.text] as const);
    writeMeta(this.#source.database, 'seal', Object.fromEntries(changed));
  }

  #nextKey(table: TableName): number {
    const last = this.#statement(`SELECT max(key) AS last FROM ${table}`).get()?.['last'];
    return Number(last ?? 0) + 1;
  }

  #sum(table: TableName): TableSum {
    const known = this.#sums.get(table);
    if (known !== undefined) return known;
    const sum = TableSum.parse(readMeta(this.#source, 'seal')[table] ?? '');
    this.#sums.set(table, sum);
    return sum;
  }
}

function adviceFor(code: number): string {
  if (code === SQLITE.FULL || code === SQLITE.IOERR) return '; free space on its volume, then repeat';
  if (code === SQLITE.READONLY) return '; make the file and its folder writable, then repeat';
  return '';
}
