/**
 * Putting a backup in the place of a state file that no controller uses. The backup is copied and checked first; the
 * file that it replaces is kept under another name; the replacement is one rename, so a crash leaves the one or the other.
 */
import { chmodSync, constants, copyFileSync, existsSync, linkSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../model/instant.ts';
import { type Refusal, StoreRefusedError } from './errors.ts';
import { alreadyExists, COMPANIONS, companionsOf, discard, sync, unfinishedName } from './files.ts';
import { MIGRATIONS } from './migrations.ts';
import { openLocked, openVerified, refusing } from './open.ts';
import { markRestored } from './restored-mark.ts';

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

/** Restores. Throws StoreRefusedError: Locked while a controller uses the file; other reasons name the backup or the file. */
export function restoreStore(options: RestoreOptions): RestoreOutcome {
  const { file } = options;
  const unfinished = unfinishedName(file);
  try {
    copyChecked({ ...options, unfinished });
    const current = lockReplaced(file);
    try {
      if (current === undefined) keepCompanions(file, keptName(options));
      const outcome = keepFile(file, keptName(options));
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

function copyChecked({
  backup,
  unfinished,
  file,
  now,
}: RestoreOptions & { readonly unfinished: string }): void {
  if (!existsSync(backup))
    throw notABackup({ reason: 'Incomplete', file: backup, finding: 'does not exist' });
  const companions = companionsOf(backup);
  if (companions.length > 0) {
    const finding = `is a state file in use or left by a crash, not a backup: ${companions.join(', ')} belongs to it`;
    throw notABackup({ reason: 'Incomplete', file: backup, finding });
  }
  if (statSync(backup).size === 0) throw notABackup({ reason: 'Corrupt', file: backup, finding: 'is empty' });
  refusing(file, () => copyFileSync(backup, unfinished, constants.COPYFILE_EXCL));
  try {
    const copy = openVerified({ file: unfinished, migrations: MIGRATIONS });
    try {
      markRestored({ database: copy, file: unfinished }, now);
      copy.exec('PRAGMA journal_mode = WAL'); // as the store opens it
    } finally {
      copy.close();
    }
  } catch (error) {
    throw error instanceof StoreRefusedError
      ? notABackup({ reason: error.reason, finding: error.finding, file: backup })
      : error;
  }
  chmodSync(unfinished, 0o600);
  sync(unfinished);
}

function notABackup(refusal: Omit<Refusal, 'advice'>): StoreRefusedError {
  return new StoreRefusedError({
    ...refusal,
    advice: 'Nothing was changed. Name a file that switchyard backup made',
  });
}

/**
 * Takes the lock of the file that is replaced, so that no controller starts on it meanwhile. A file that SQLite cannot
 * read has no lock, and no controller starts on it.
 */
function lockReplaced(file: string): DatabaseSync | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return refusing(file, () => {
      const database = openLocked(file);
      // Without a log of its own: closing it after its name went to another must not remove that one's log.
      database.exec('PRAGMA journal_mode = DELETE');
      return database;
    });
  } catch (error) {
    if (error instanceof StoreRefusedError && (error.reason === 'Corrupt' || error.reason === 'Foreign')) {
      return undefined;
    }
    throw error;
  }
}

function keptName({ file, now }: RestoreOptions): string {
  return `${file}.before-restore-${new Date(now).toISOString().replaceAll(':', '-')}`;
}

function keepCompanions(file: string, kept: string): void {
  for (const companion of COMPANIONS) {
    if (existsSync(`${file}${companion}`)) renameSync(`${file}${companion}`, `${kept}${companion}`);
  }
}

function keepFile(file: string, kept: string): RestoreOutcome {
  if (existsSync(kept)) throw alreadyExists(kept);
  if (!existsSync(file)) return {};
  linkSync(file, kept);
  return { kept };
}
