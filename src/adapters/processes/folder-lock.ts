/**
 * Keeps a second controller off a state folder: two would start everything twice. The lock is a Unix socket in the
 * abstract namespace, named after the folder; the kernel takes it back however its holder ends, so none is ever stale.
 */
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Another controller uses the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/** Locks a folder that exists. Resolves with the way to unlock it. Throws FolderInUseError. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const { dev, ino } = await stat(folder, { bigint: true });
  const server = createServer((connection) => connection.destroy());
  const locked = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    locked.reject(
      error.code === 'EADDRINUSE'
        ? new FolderInUseError(
            `${folder} is in use by another controller; stop that one or choose another state folder`,
          )
        : error,
    );
  });
  server.listen(`\0switchyard/processes/${dev}:${ino}`, locked.resolve);
  await locked.promise;
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}
