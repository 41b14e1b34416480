/**
 * Small files that a crash must not tear: the new text is written beside the file, synced, and renamed over it, and
 * the folder is synced, so that a reader finds the old text or the new one, also after power loss.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What a file that was being written when its writer died is called; it counts for nothing. */
const UNFINISHED = '.unfinished';

/** Replaces a file's text; only its owner may read it. The folder must exist. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const unfinished = join(dirname(path), `.${basename(path)}${UNFINISHED}`);
  const file = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  await sync(dirname(path));
}

/** Removes a file; one that is not there is no error. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await sync(dirname(path));
}

/** Makes a folder that only its owner may enter, and clears what a writer that died has left in it. */
export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    if (name.endsWith(UNFINISHED)) await rm(join(folder, name), { force: true });
  }
}

/** Syncs a file, or a folder with all that is in it, so that what is written down of it later is so after power loss too. */
export async function syncAll(path: string): Promise<void> {
  const entry = await lstat(path);
  if (entry.isDirectory()) {
    for (const name of await readdir(path)) await syncAll(join(path, name));
  }
  if (entry.isDirectory() || entry.isFile()) await sync(path);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
