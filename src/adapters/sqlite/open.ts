/**
 * Opening a state file: it is locked for this process, checked in full, and brought to this release's form, or it is
 * refused and left as it is. A file that does not exist is made; one that is empty or foreign is not taken for new.
 */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { backupTo } from './copy.ts';
import { corrupt, RESTORE_ADVICE, SQLITE, StoreRefusedError, sqliteCode } from './errors.ts';
import { companionsOf } from './files.ts';
import { lockHolder } from './lock-holder.ts';
import { readMeta, writeMeta } from './meta.ts';
import { APPLICATION_ID, type Migration } from './migrations.ts';
import { makeDatabase } from './new-database.ts';
import { sealContent, verifyContent, verifyStructure } from './seal.ts';

/** How long another process may take to let go of the file, for one that is just ending. */
const LOCK_PATIENCE_MILLISECONDS = 1000;

/** Which file, and the forms that this release knows. */
export interface OpenOptions {
  readonly file: string;
  readonly migrations: readonly Migration[];
}

/** Opens or makes a state file. Throws StoreRefusedError. */
export function openDatabase(options: OpenOptions): DatabaseSync {
  if (!exists(options.file)) createStateFile(options);
  return refusing(options.file, () => {
    const database = openVerified(options);
    try {
      migrate(database, options);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Opens an existing state file with its lock and checks all of its content. Throws StoreRefusedError. */
export function openVerified({ file, migrations }: OpenOptions): DatabaseSync {
  return refusing(file, () => {
    const database = openLocked(file);
    try {
      verifyIdentity(database, file);
      verifyStructure({ database, file });
      verifyForm(database, { file, migrations });
      verifyContent({ database, file });
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Turns what SQLite and the system say of a file into a refusal that names it. */
export function refusing<T>(file: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw refusal(file, error);
  }
}

/** Opens a file and takes its lock, until it is closed. Throws what SQLite says. */
export function openLocked(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: LOCK_PATIENCE_MILLISECONDS });
  try {
    // The first read of a file with a write-ahead log takes the lock and keeps it to the end. (Not BEGIN EXCLUSIVE:
    // it repairs the size in a damaged header, and a damaged file must stay as it is.)
    database.exec('PRAGMA locking_mode = EXCLUSIVE; SELECT count(*) FROM sqlite_schema');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function verifyIdentity(database: DatabaseSync, file: string): void {
  const identity = Number(pragma(database, 'application_id'));
  if (identity !== APPLICATION_ID) {
    throw new StoreRefusedError({
      reason: 'Foreign',
      file,
      finding: `is not a Switchyard state file (its application id is ${identity}, not ${APPLICATION_ID})`,
      advice: RESTORE_ADVICE,
    });
  }
}

/** A newer release's file is fine as long as that release says that this one can read it. */
function verifyForm(database: DatabaseSync, { file, migrations }: OpenOptions): void {
  const { schema, minReader } = readMeta({ database, file }, 'format');
  const known = newest(migrations).number;
  if (minReader > known) {
    throw new StoreRefusedError({
      reason: 'TooNew',
      file,
      finding: `was written by a newer release (form ${schema}, readable from form ${minReader} on; this one knows form ${known})`,
      advice: `It was left as it is. Start the newer release, or restore the backup made before its migration: switchyard restore ${file}.before-migration-${schema}`,
    });
  }
  if (Number(pragma(database, 'user_version')) !== schema) throw corrupt(file, 'its two form numbers differ');
}

/** Takes the steps that the file has not gone through, after a backup. */
function migrate(database: DatabaseSync, { file, migrations }: OpenOptions): void {
  const { schema, minReader } = readMeta({ database, file }, 'format');
  const due = migrations.filter(({ number }) => number > schema);
  if (due.length === 0) return;
  backupTo({ database, target: freeName(`${file}.before-migration-${newest(due).number}`) });
  applyMigrations(database, { due, minReader });
}

function createStateFile({ file, migrations }: OpenOptions): void {
  refusing(file, () => {
    const leftOver = companionsOf(file);
    if (leftOver.length > 0) {
      throw new StoreRefusedError({
        reason: 'Incomplete',
        file,
        finding: `is missing, but ${leftOver.join(' and ')} is there: the state file was moved or deleted`,
        advice:
          'Bring it back or restore a backup: switchyard restore BACKUP. To begin with nothing, move that file away',
      });
    }
    const fill = (database: DatabaseSync): void =>
      applyMigrations(database, { due: migrations, minReader: 1 });
    makeDatabase({ file, applicationId: APPLICATION_ID, fill });
  });
}

function applyMigrations(
  database: DatabaseSync,
  { due, minReader }: { due: readonly Migration[]; minReader: number },
): void {
  const isNew = Number(pragma(database, 'user_version')) === 0;
  const schema = newest(due).number;
  database.exec('BEGIN EXCLUSIVE');
  try {
    for (const statement of due.flatMap(({ statements }) => statements)) database.exec(statement);
    if (isNew) writeMeta(database, 'counters', { nextPublication: 1, everWritten: false, lastSequence: 0 });
    writeMeta(database, 'format', {
      schema,
      minReader: Math.max(minReader, ...due.map((step) => step.minReader)),
    });
    sealContent(database, schema);
    database.exec(`PRAGMA user_version = ${schema}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function newest(migrations: readonly Migration[]): Migration {
  const last = migrations.at(-1);
  if (last === undefined) throw new RangeError('a store needs at least one migration');
  return last;
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}

/** Whether the file is there. An empty one is refused: SQLite would take it for new, and all state would be gone. */
function exists(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.size === 0) throw corrupt(file, 'it is empty');
  return found !== undefined;
}

function freeName(wanted: string): string {
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    if (statSync(name, { throwIfNoEntry: false }) === undefined) return name;
  }
}

function refusal(file: string, error: unknown): unknown {
  if (error instanceof StoreRefusedError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const message = error instanceof Error ? error.message : String(error);
  switch (sqliteCode(error)) {
    case SQLITE.BUSY:
      return new StoreRefusedError({
        reason: 'Locked',
        file,
        finding: `is in use by ${lockHolder(file)}`,
        advice: 'One process at a time may own it; stop that one first',
      });
    case SQLITE.NOTADB:
      return new StoreRefusedError({
        reason: 'Foreign',
        file,
        finding: 'is not a Switchyard state file, or its beginning is damaged',
        advice: RESTORE_ADVICE,
      });
    case SQLITE.CANTOPEN:
    case SQLITE.READONLY:
    case SQLITE.IOERR:
    case SQLITE.FULL:
      return unusable(file, message);
    case undefined:
      return code === undefined ? error : unusable(file, message);
    default:
      return corrupt(file, message);
  }
}

function unusable(file: string, message: string): StoreRefusedError {
  return new StoreRefusedError({
    reason: 'Unusable',
    file,
    finding: `cannot be opened for reading and writing: ${message}`,
    advice: 'Its folder must exist and be writable',
  });
}
