/**
 * Putting a backup in the place of a state file that no controller uses. The backup is copied and checked first; the
 * file that it replaces is kept under another name; the replacement is one rename, so a crash leaves the one or the other.
 */
import { constants, copyFileSync, existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../model/instant.ts';
import { StoreRefusedError } from './errors.ts';
import { alreadyExists, COMPANIONS, companionsOf, discard, sync, unfinishedName } from './files.ts';
import { MIGRATIONS } from './migrations.ts';
import { openVerified, refusing } from './open.ts';

/** What to restore, and where. */
export interface RestoreOptions {
  readonly file: string;
  readonly backup: string;
  /** Goes into the name of the file that is kept: `FILE.before-restore-2026-08-01T10-15-00.000Z`. */
  readonly now: Instant;
}

/** What became of the file that was there. */
export interface RestoreOutcome {
  /** Its name now; absent where there was none. */
  readonly kept?: string;
}

/** Restores. Throws StoreRefusedError: Locked while a controller uses the file; Corrupt, Foreign or Incomplete for the backup. */
export function restoreStore(options: RestoreOptions): RestoreOutcome {
  const { file, backup } = options;
  const unfinished = unfinishedName(file);
  try {
    copyChecked(backup, unfinished, file);
    const current = openForReplacement(file);
    try {
      const outcome = keepAside(file, options.now);
      renameSync(unfinished, file);
      sync(dirname(file));
      return outcome;
    } finally {
      current?.close();
    }
  } finally {
    discard(unfinished);
  }
}

function copyChecked(backup: string, unfinished: string, file: string): void {
  const companions = companionsOf(backup);
  if (companions.length > 0) {
    throw new StoreRefusedError({
      reason: 'Incomplete',
      file: backup,
      message: `${backup} is a state file in use or left by a crash, not a backup: ${companions.join(', ')} belongs to it. Make a backup with: switchyard backup FILE`,
    });
  }
  refusing(file, () => {
    if (statSync(backup, { throwIfNoEntry: false }) === undefined) {
      throw new StoreRefusedError({
        reason: 'Incomplete',
        file: backup,
        message: `${backup} does not exist`,
      });
    }
    copyFileSync(backup, unfinished, constants.COPYFILE_EXCL);
  });
  try {
    asSingleFile(openVerified({ file: unfinished, migrations: MIGRATIONS })).close();
  } catch (error) {
    throw namingBackup(error, { unfinished, backup });
  }
  sync(unfinished);
}

/** The lock on the file that is replaced, so that no controller starts on it meanwhile. A damaged file has no such lock to take. */
function openForReplacement(file: string): DatabaseSync | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return asSingleFile(openVerified({ file, migrations: MIGRATIONS }));
  } catch (error) {
    if (error instanceof StoreRefusedError && (error.reason === 'Corrupt' || error.reason === 'Foreign'))
      return undefined;
    throw error;
  }
}

/** Ends the write-ahead log: everything is in the one file, and closing it later touches no other. */
function asSingleFile(database: DatabaseSync): DatabaseSync {
  database.exec('PRAGMA journal_mode = DELETE');
  return database;
}

function keepAside(file: string, now: Instant): RestoreOutcome {
  const kept = `${file}.before-restore-${new Date(now).toISOString().replaceAll(':', '-')}`;
  if (existsSync(kept)) throw alreadyExists(kept);
  for (const companion of COMPANIONS) {
    if (existsSync(`${file}${companion}`)) renameSync(`${file}${companion}`, `${kept}${companion}`);
  }
  if (!existsSync(file)) return {};
  linkSync(file, kept);
  return { kept };
}

function namingBackup(error: unknown, names: { unfinished: string; backup: string }): unknown {
  if (!(error instanceof StoreRefusedError)) return error;
  const message = error.message.replaceAll(names.unfinished, names.backup);
  return new StoreRefusedError({ reason: error.reason, file: names.backup, message });
}
