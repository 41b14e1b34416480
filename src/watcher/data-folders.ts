/**
 * The data of versions that are gone: kept for a while, since a version may come back and what it could not deliver may
 * still be wanted, then removed.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Instant, Milliseconds } from '../model/instant.ts';

const DATA_KEPT: Milliseconds = 7 * 24 * 3_600_000;

/** Removes the folders of versions that are not among `versions` and were not written to for a while. */
export async function pruneData(prune: {
  /** The watcher's data folder. */
  readonly folder: string;
  readonly versions: readonly string[];
  readonly now: Instant;
}): Promise<void> {
  const data = join(prune.folder, 'data');
  for (const name of await readdir(data).catch(() => [])) {
    if (prune.versions.includes(name)) continue;
    const { mtimeMs } = await stat(join(data, name));
    if (prune.now - mtimeMs > DATA_KEPT) await rm(join(data, name), { recursive: true, force: true });
  }
}
