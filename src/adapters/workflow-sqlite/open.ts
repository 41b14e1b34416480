/**
 * Opening a workflow file: one that is not there is made, any other must say that it is one, so that the controller's
 * state file or somebody else's database is never written to. Several processes may do it at once.
 */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { SQLITE, StoreRefusedError, sqliteCode } from '../sqlite/errors.ts';
import { companionsOf } from '../sqlite/files.ts';
import { APPLICATION_ID, type Migration } from '../sqlite/migrations.ts';
import { makeDatabase } from '../sqlite/new-database.ts';
import { WORKFLOW_FILE_ADVICE } from './errors.ts';
import { WORKFLOW_APPLICATION_ID } from './migrations.ts';
import { BUSY_TIMEOUT_MILLISECONDS, patiently, transaction } from './transactions.ts';

/** Which file, and the forms that this release knows. */
export interface OpenOptions {
  readonly file: string;
  readonly migrations: readonly Migration[];
}

/** Opens or makes a workflow file, in this release's form or a newer one that this release can use. Throws StoreRefusedError. */
export function openWorkflowDatabase({ file, migrations }: OpenOptions): DatabaseSync {
  try {
    if (!exists(file)) create(file, migrations);
    verifyIdentity(file);
    return openShared(file, migrations);
  } catch (error) {
    throw refusal(file, error);
  }
}

/** Throws StoreRefusedError where a newer release has taken away what this one needs. */
export function verifyForm(database: DatabaseSync, { file, migrations }: OpenOptions): void {
  const { form, minReader } = formOf(database);
  const known = migrations.at(-1)?.number ?? 0;
  if (minReader <= known) return;
  throw new StoreRefusedError({
    reason: 'TooNew',
    file,
    finding: `has been changed by a newer release (form ${form}, usable from form ${minReader} on; this one knows form ${known})`,
    advice: 'Start the newer release',
  });
}

function openShared(file: string, migrations: readonly Migration[]): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MILLISECONDS });
  try {
    patiently(() =>
      database.exec(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864',
      ),
    );
    transaction(database, 'writing', () => {
      verifyForm(database, { file, migrations });
      expand(database, migrations);
    });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Takes the steps that the file has not gone through. Processes of the release before go on beside it. */
function expand(database: DatabaseSync, migrations: readonly Migration[]): void {
  const { form } = formOf(database);
  for (const { number, minReader, statements } of migrations) {
    if (number <= form) continue;
    for (const statement of statements) database.exec(statement);
    database.prepare('INSERT INTO migration (form, min_reader) VALUES (?, ?)').run(number, minReader);
  }
}

function formOf(database: DatabaseSync): { readonly form: number; readonly minReader: number } {
  const row = database
    .prepare('SELECT max(form) AS form, max(min_reader) AS min_reader FROM migration')
    .get();
  return { form: Number(row?.['form'] ?? 0), minReader: Number(row?.['min_reader'] ?? 0) };
}

/**
 * Reads what kind of file it is without a lock: the controller holds its own all the time, and another program must not
 * be kept from its file by us. (Not with node:fs: closing its descriptor would drop the locks that this process has.)
 */
function verifyIdentity(file: string): void {
  const location = pathToFileURL(file);
  location.searchParams.set('immutable', '1');
  const database = new DatabaseSync(location, { readOnly: true });
  try {
    const identity = Number(database.prepare('PRAGMA application_id').get()?.['application_id']);
    if (identity !== WORKFLOW_APPLICATION_ID) throw foreign(file, identity);
  } finally {
    database.close();
  }
}

function foreign(file: string, identity: number): StoreRefusedError {
  const finding =
    identity === APPLICATION_ID
      ? "is the controller's state file, not a workflow file"
      : `is not a workflow file (its application id is ${identity}, not ${WORKFLOW_APPLICATION_ID})`;
  return new StoreRefusedError({ reason: 'Foreign', file, finding, advice: WORKFLOW_FILE_ADVICE });
}

/** Makes the file, unless it was moved away from what SQLite keeps beside it. */
function create(file: string, migrations: readonly Migration[]): void {
  const leftOver = companionsOf(file);
  if (leftOver.length > 0 && !exists(file)) {
    throw new StoreRefusedError({
      reason: 'Incomplete',
      file,
      finding: `is missing, but ${leftOver.join(' and ')} is there: the workflow file was moved or deleted`,
      advice: 'Bring it back. To begin with nothing, move that file away',
    });
  }
  makeDatabase({
    file,
    applicationId: WORKFLOW_APPLICATION_ID,
    fill: (database) => {
      database.exec('CREATE TABLE migration (form INTEGER PRIMARY KEY, min_reader INTEGER NOT NULL) STRICT');
      transaction(database, 'writing', () => expand(database, migrations));
    },
  });
}

/** Whether the file is there. SQLite would take an empty one for new, and all executions would be gone. */
function exists(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.size === 0) {
    throw new StoreRefusedError({
      reason: 'Corrupt',
      file,
      finding: 'is empty',
      advice: WORKFLOW_FILE_ADVICE,
    });
  }
  return found !== undefined;
}

function refusal(file: string, error: unknown): unknown {
  if (error instanceof StoreRefusedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  switch (sqliteCode(error)) {
    case SQLITE.NOTADB:
      return new StoreRefusedError({
        reason: 'Foreign',
        file,
        finding: 'is not a workflow file, or its beginning is damaged',
        advice: WORKFLOW_FILE_ADVICE,
      });
    case SQLITE.BUSY:
      return new StoreRefusedError({
        reason: 'Locked',
        file,
        finding: 'is kept locked by another process',
        advice: 'A backup tool or an SQLite shell may have it open; end that',
      });
    case SQLITE.CANTOPEN:
    case SQLITE.READONLY:
    case SQLITE.IOERR:
    case SQLITE.FULL:
      return unusable(file, message);
    case undefined:
      return (error as NodeJS.ErrnoException).code === undefined ? error : unusable(file, message);
    default:
      return new StoreRefusedError({
        reason: 'Corrupt',
        file,
        finding: `is damaged (${message})`,
        advice: WORKFLOW_FILE_ADVICE,
      });
  }
}

function unusable(file: string, message: string): StoreRefusedError {
  return new StoreRefusedError({
    reason: 'Unusable',
    file,
    finding: `cannot be opened for reading and writing: ${message}`,
    advice: 'Its folder must exist and be writable, on a disk of this machine',
  });
}
