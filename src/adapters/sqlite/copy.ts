/**
 * A consistent copy of an open state file, made while it is in use. The copy gets its name only when it is complete,
 * checked and on the disk, so that a file with that name can be restored from.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { alreadyExists, createPrivate, discard, publishNew, sync, unfinishedName } from './files.ts';
import { verifyContent, verifyStructure } from './seal.ts';

/** Writes the copy. Throws StoreRefusedError where `target` exists, and what the system says where it cannot be written. */
export function backupTo({ database, target }: { database: DatabaseSync; target: string }): void {
  if (existsSync(target)) throw alreadyExists(target);
  const unfinished = unfinishedName(target);
  try {
    createPrivate(unfinished);
    database.prepare('VACUUM INTO ?').run(unfinished);
    verifyCopy(unfinished, target);
    sync(unfinished);
    publishNew(unfinished, target);
  } finally {
    discard(unfinished);
  }
}

function verifyCopy(unfinished: string, target: string): void {
  const copy = new DatabaseSync(unfinished, { readOnly: true });
  try {
    verifyStructure({ database: copy, file: target });
    verifyContent({ database: copy, file: target });
  } finally {
    copy.close();
  }
}
