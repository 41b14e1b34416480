/**
 * Steps with whole files that a crash must not tear: a new file is written under a name of its own, synced, and then
 * given its real name in one step that never replaces a file by accident.
 */
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreRefusedError } from './errors.ts';

/** The files that SQLite keeps beside a database; without them, its newest content may be missing. */
export const COMPANIONS = ['-wal', '-journal', '-shm'] as const;

/** A name for the file while it is being written. */
export function unfinishedName(file: string): string {
  return `${file}.${process.pid}.${performance.now().toString(36).replace('.', '')}.unfinished`;
}

/** Makes an empty file that only its owner may read. */
export function createPrivate(file: string): void {
  closeSync(openSync(file, 'wx', 0o600));
}

/** Makes what was written to a file, or the names in a folder, survive power loss. */
export function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Gives a finished file its name. Throws StoreRefusedError (Exists) where that name is taken. */
export function publishNew(unfinished: string, file: string): void {
  try {
    linkSync(unfinished, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw alreadyExists(file);
  }
  rmSync(unfinished);
  sync(dirname(file));
}

/** That a file is there which would have to be overwritten. */
export function alreadyExists(file: string): StoreRefusedError {
  return new StoreRefusedError({
    reason: 'Exists',
    file,
    finding: 'exists and is not overwritten',
    advice: 'Choose another name or move it away',
  });
}

/** Removes an unfinished file and what SQLite left beside it. */
export function discard(unfinished: string): void {
  for (const companion of ['', ...COMPANIONS]) rmSync(`${unfinished}${companion}`, { force: true });
}

/** The companions of a file that are there. */
export function companionsOf(file: string): readonly string[] {
  return COMPANIONS.map((companion) => `${file}${companion}`).filter((path) => existsSync(path));
}
