/**
 * Whether the content of a state file is what was written. A verified file has, in every table, digests that add up to
 * the table's sum, and rows that match them (tables.ts says which are looked at before they are read); a sealed one has
 * sums that were counted anew.
 */
import type { DatabaseSync } from 'node:sqlite';
import { storedProxy, storedService } from '../stored/records.ts';
import { storedRollout } from '../stored/rollout.ts';
import { storedCoverage } from '../stored/traffic.ts';
import { type RowContent, rowDigest, TableSum } from './digest.ts';
import { corrupt } from './errors.ts';
import { readMeta, writeMeta } from './meta.ts';
import { TABLES, type TableName, tablesOf } from './tables.ts';

interface Source {
  readonly database: DatabaseSync;
  readonly file: string;
}

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** Throws StoreRefusedError (Corrupt) that names the row or table where content differs from what was written. */
export function verifyContent(source: Source): void {
  const { schema } = readMeta(source, 'format');
  const seal = readMeta(source, 'seal');
  readMeta(source, 'counters');
  for (const table of tablesOf(schema)) {
    const sum = TableSum.empty();
    for (const row of rowsOf(source.database, table)) {
      if (TABLES[table].checked === 'AtOpening') verifyRow(source, table, row);
      sum.add(row['digest'] as Uint8Array);
    }
    if (sum.text !== seal[table])
      throw corrupt(source.file, `rows of table ${table} are missing or out of date`);
  }
}

/** Counts all sums anew: for a new file, and after a migration of verified content. */
export function sealContent(database: DatabaseSync, schema: number): void {
  const seal: Record<string, string> = {};
  for (const table of tablesOf(schema)) {
    const sum = TableSum.empty();
    for (const row of rowsOf(database, table)) sum.add(row['digest'] as Uint8Array);
    seal[table] = sum.text;
  }
  writeMeta(database, 'seal', seal);
}

/** SQLite's own check: pages, order of keys, indexes against tables. Throws StoreRefusedError (Corrupt). */
export function verifyStructure({ database, file }: Source): void {
  const findings = database
    .prepare('PRAGMA integrity_check(3)')
    .all()
    .map((row) => String(row['integrity_check']));
  if (findings.join() !== 'ok') throw corrupt(file, findings.join('; '));
}

/** Checks a row, given with all that its digest covers, against it. Throws StoreRefusedError (Corrupt). */
export function verifyDigest({ file }: Pick<Source, 'file'>, table: TableName, row: Row): void {
  const digest = rowDigest(contentOf(table, row));
  if (!Buffer.from(row['digest'] as Uint8Array).equals(digest)) {
    throw corrupt(file, `the row of ${nameOf(table, row)} does not match its checksum`);
  }
}

/** What the digest of a row covers. */
export function contentOf(table: TableName, row: Row): RowContent {
  return [table, ...TABLES[table].columns.map((column) => row[column])] as unknown as RowContent;
}

function rowsOf(database: DatabaseSync, table: TableName): Iterable<Row> {
  const { columns, checked } = TABLES[table];
  const wanted = checked === 'AtOpening' ? [...columns, 'digest'] : ['digest'];
  return database.prepare(`SELECT ${wanted.join(', ')} FROM ${table}`).iterate();
}

function nameOf(table: TableName, row: Row): string {
  return `${table} ${JSON.stringify(row['key'])}`;
}

function verifyRow(source: Source, table: TableName, row: Row): void {
  verifyDigest(source, table, row);
  if (table === 'event') return; // a hundred thousand of them: their shape is read when they are asked for
  try {
    readRow(table, row);
  } catch (error) {
    throw corrupt(
      source.file,
      `the row of ${nameOf(table, row)} cannot be read: ${(error as Error).message}`,
    );
  }
}

function readRow(table: TableName, row: Row): void {
  const body: unknown = JSON.parse(String(row['body']));
  const key = keyIn(table, body);
  const stored = row[table === 'rollout' ? 'id' : 'key'];
  if (key !== stored) throw new Error(`its body belongs to ${JSON.stringify(key)}`);
}

function keyIn(table: TableName, body: unknown): unknown {
  switch (table) {
    case 'service':
      return storedService.read(body, '').name;
    case 'proxy':
      return storedProxy.read(body, '').id;
    case 'rollout':
      return storedRollout.read(body, '').id;
    case 'coverage':
      return storedCoverage.read(body, '').from;
    case 'event':
    case 'measurement':
    case 'traffic':
      throw new Error(`rows of ${table} are read when they are asked for`);
  }
}
