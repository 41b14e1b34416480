/** How much room there is, and how much of it is used. */
import { lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that we may still write where a folder is. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Bytes that a folder takes up. What vanishes while we look is not counted. */
export async function usedBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let sum = 0;
  for (const entry of names) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += await usedBytes(path);
    else sum += (await lstat(path).catch(() => undefined))?.size ?? 0;
  }
  return sum;
}
