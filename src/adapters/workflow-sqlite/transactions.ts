/**
 * Transactions on a file that other processes write too. Only one writes at a time; who finds it busy waits a little,
 * by chance, and tries again, so that two do not keep meeting.
 */
import type { DatabaseSync } from 'node:sqlite';
import { SQLITE, sqliteCode } from '../sqlite/errors.ts';

/** How long SQLite itself waits for a lock, at first in steps of a millisecond. */
export const BUSY_TIMEOUT_MILLISECONDS = 10;
/** The longest pause between two attempts. */
const LONGEST_PAUSE_MILLISECONDS = 20;
/** How long a call waits for the file in all: the others hold it for milliseconds at a time. */
const PATIENCE_MILLISECONDS = 30_000;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Runs it in a transaction of its own: all of it is on the disk afterwards, or, where it throws, nothing. */
export function transaction<Result>(
  database: DatabaseSync,
  kind: 'reading' | 'writing',
  run: () => Result,
): Result {
  patiently(() => database.exec(kind === 'writing' ? 'BEGIN IMMEDIATE' : 'BEGIN'));
  try {
    const result = run();
    patiently(() => database.exec('COMMIT'));
    return result;
  } catch (error) {
    // A full disk has rolled it back already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Tries again while another process has the file. Throws what SQLite says when it has been busy for too long. */
export function patiently<Result>(attempt: () => Result): Result {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MILLISECONDS)) {
    try {
      return attempt();
    } catch (error) {
      if (sqliteCode(error) !== SQLITE.BUSY || performance.now() > deadline) throw error;
      Atomics.wait(sleeper, 0, 0, Math.random() * pause);
    }
  }
}
