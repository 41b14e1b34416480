/**
 * Whether the content of a state file is what was written. A verified file has, in every table, rows that match their
 * own checksums and add up to the table's sum; a sealed one has sums that were counted anew.
 */
import type { DatabaseSync } from 'node:sqlite';
import { storedProxy, storedService } from '../stored/records.ts';
import { storedRoll } from '../stored/roll.ts';
import { storedRollout } from '../stored/rollout.ts';
import { storedCoverage } from '../stored/traffic.ts';
import { storedWatcher } from '../stored/watchers.ts';
import { watcherKey } from '../watcher-rules.ts';
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
      verifyRow(source, table, row);
      sum.add(row['digest'] as Uint8Array);
    }
    if (sum.text !== seal[table])
      throw corrupt(source.file, `rows of table ${table} are missing or out of date`);
  }
}

/** Computes all digests and sums anew: for a new file, and after a migration of verified content. */
export function sealContent(database: DatabaseSync, schema: number): void {
  const seal: Record<string, string> = {};
  for (const table of tablesOf(schema)) {
    const sum = TableSum.empty();
    const update = database.prepare(`UPDATE ${table} SET digest = ? WHERE key = ?`);
    const rows = [...rowsOf(database, table)]; // read to the end, for the loop writes to the same table
    for (const row of rows) {
      const digest = rowDigest(contentOf(table, row));
      update.run(digest, row['key'] as string | number);
      sum.add(digest);
    }
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

/** What the digest of a row covers. */
export function contentOf(table: TableName, row: Row): RowContent {
  return [table, ...TABLES[table].columns.map((column) => row[column])] as unknown as RowContent;
}

function rowsOf(database: DatabaseSync, table: TableName): Iterable<Row> {
  return database.prepare(`SELECT ${TABLES[table].columns.join(', ')}, digest FROM ${table}`).iterate();
}

function verifyRow({ file }: Source, table: TableName, row: Row): void {
  const name = `${table} ${JSON.stringify(row['key'])}`;
  if (!Buffer.from(row['digest'] as Uint8Array).equals(rowDigest(contentOf(table, row)))) {
    throw corrupt(file, `the row of ${name} does not match its checksum`);
  }
  try {
    readRow(table, row);
  } catch (error) {
    throw corrupt(file, `the row of ${name} cannot be read: ${(error as Error).message}`);
  }
}

/** Reads rows that decide something. There are very many of the others: their shape is read when they are asked for. */
function readRow(table: TableName, row: Row): void {
  const key = keyIn(table, String(row['body']));
  const stored = row[table === 'rollout' ? 'id' : 'key'];
  if (key !== undefined && key !== stored) throw new Error(`its body belongs to ${JSON.stringify(key)}`);
}

function keyIn(table: TableName, body: string): string | number | undefined {
  switch (table) {
    case 'service':
      return storedService.read(JSON.parse(body), '').name;
    case 'proxy':
      return storedProxy.read(JSON.parse(body), '').id;
    case 'rollout':
      return storedRollout.read(JSON.parse(body), '').id;
    case 'coverage':
      return storedCoverage.read(JSON.parse(body), '').from;
    case 'roll':
      return storedRoll.read(JSON.parse(body), '').rollout;
    case 'watcher':
      return watcherKey(storedWatcher.read(JSON.parse(body), '').identity);
    case 'event':
    case 'measurement':
    case 'traffic':
      return undefined;
  }
}
