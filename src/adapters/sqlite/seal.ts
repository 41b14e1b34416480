/**
 * Whether the content of a state file is what was written. A verified file has, in every table, rows that match their
 * own checksums and add up to the table's sum; a sealed one has sums that were counted anew.
 */
import type { DatabaseSync } from 'node:sqlite';
import { storedProxy, storedService } from '../stored/records.ts';
import { type RowContent, rowDigest, TableSum } from './digest.ts';
import { corrupt } from './errors.ts';
import { readMeta, type Seal, writeMeta } from './meta.ts';

interface Source {
  readonly database: DatabaseSync;
  readonly file: string;
}

type Row = Readonly<Record<string, unknown>>;

/** Each table with the columns that its digest covers. */
const COVERED = {
  service: ['key', 'body'],
  proxy: ['key', 'body'],
  event: ['key', 'service', 'body'],
} as const satisfies Record<keyof Seal, readonly string[]>;

/** Throws StoreRefusedError (Corrupt) that names the row or table where content differs from what was written. */
export function verifyContent(source: Source): void {
  const seal = readMeta(source, 'seal');
  readMeta(source, 'counters');
  for (const table of tables()) {
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
export function sealContent(database: DatabaseSync): void {
  const seal: Record<keyof Seal, string> = { service: '', proxy: '', event: '' };
  for (const table of tables()) {
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

function tables(): (keyof Seal)[] {
  return Object.keys(COVERED) as (keyof Seal)[];
}

/** SQLite's own check: pages, order of keys, indexes against tables. Throws StoreRefusedError (Corrupt). */
export function verifyStructure({ database, file }: Source): void {
  const findings = database
    .prepare('PRAGMA integrity_check(3)')
    .all()
    .map((row) => String(row['integrity_check']));
  if (findings.join() !== 'ok') throw corrupt(file, findings.join('; '));
}

function rowsOf(database: DatabaseSync, table: keyof Seal): Iterable<Row> {
  return database.prepare(`SELECT ${COVERED[table].join(', ')}, digest FROM ${table}`).iterate();
}

function contentOf(table: keyof Seal, row: Row): RowContent {
  return [table, ...COVERED[table].map((column) => row[column])] as unknown as RowContent;
}

function verifyRow({ file }: Source, table: keyof Seal, row: Row): void {
  const name = `${table} ${JSON.stringify(row['key'])}`;
  if (!Buffer.from(row['digest'] as Uint8Array).equals(rowDigest(contentOf(table, row)))) {
    throw corrupt(file, `the row of ${name} does not match its checksum`);
  }
  if (table === 'event') return; // a hundred thousand of them: their shape is read when they are asked for
  try {
    readRow(table, row);
  } catch (error) {
    throw corrupt(file, `the row of ${name} cannot be read: ${(error as Error).message}`);
  }
}

function readRow(table: 'service' | 'proxy', row: Row): void {
  const body: unknown = JSON.parse(String(row['body']));
  const key = table === 'service' ? storedService.read(body, '').name : storedProxy.read(body, '').id;
  if (key !== row['key']) throw new Error(`its body belongs to ${JSON.stringify(key)}`);
}
