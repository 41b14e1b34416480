/** Making an SQLite file that another process may make at the same time: it appears whole, or not at all. */
import { DatabaseSync } from 'node:sqlite';
import { StoreRefusedError } from './errors.ts';
import { createPrivate, discard, publishNew, sync, unfinishedName } from './files.ts';

/**
 * Makes the file with what `fill` writes into it, for its owner alone and with a write-ahead log. Where another process
 * was first its file stands: whether that can be used is found when it is opened. Throws what `fill` and the system throw.
 */
export function makeDatabase(wanted: {
  readonly file: string;
  /** Says in the file's header whose it is. */
  readonly applicationId: number;
  readonly fill: (database: DatabaseSync) => void;
}): void {
  const { file, applicationId, fill } = wanted;
  const unfinished = unfinishedName(file);
  try {
    createPrivate(unfinished);
    const database = new DatabaseSync(unfinished);
    try {
      database.exec(`PRAGMA synchronous = OFF; PRAGMA application_id = ${applicationId}`); // synced once, below
      fill(database);
      database.exec('PRAGMA journal_mode = WAL');
    } finally {
      database.close();
    }
    sync(unfinished);
    publishNew(unfinished, file);
  } catch (error) {
    if (!(error instanceof StoreRefusedError && error.reason === 'Exists')) throw error;
  } finally {
    discard(unfinished);
  }
}
