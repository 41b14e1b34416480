/** A copy of all objects of the store as one file that `kubectl create -f` takes, in any namespace. */
import { open } from 'node:fs/promises';
import type { StoredObject } from './objects.ts';

/** Writes a new file that only its owner may read. Rejects where it exists or cannot be written. */
export async function writeBackup(file: string, objects: readonly StoredObject[]): Promise<void> {
  const backup = { apiVersion: 'v1', kind: 'List', items: objects.map(portable) };
  const opened = await open(file, 'wx', 0o600);
  try {
    await opened.writeFile(`${JSON.stringify(backup, undefined, 1)}\n`);
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** Without what only this cluster knows. An owner that is not there would take the object away with it. */
function portable(object: StoredObject): StoredObject {
  const { name, labels } = object.metadata;
  return { ...object, metadata: { name, ...(labels === undefined ? {} : { labels }) } };
}
