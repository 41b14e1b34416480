/**
 * Keeps a second controller off a state folder: two would start everything twice. The lock is a Unix socket in the
 * abstract namespace, named after the folder; the kernel takes it back however its holder ends, so none is ever stale.
 */
import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import type { Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';

/** Another controller uses the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/**
 * How long to wait for a holder that is going. A child that was forked, and does not run its program yet, keeps its
 * dead parent's lock: so whoever gets the lock also sees every process that was started before.
 */
const PATIENCE: Milliseconds = 5000;
const RETRY_INTERVAL: Milliseconds = 20;

/** Locks a folder that exists. Resolves with the way to unlock it. Throws FolderInUseError. */
export async function lockFolder(folder: string, clock: Clock): Promise<() => Promise<void>> {
  const { dev, ino } = await stat(folder, { bigint: true });
  const never = new AbortController().signal;
  for (let waited = 0; ; waited += RETRY_INTERVAL) {
    const server = await listen(`\0switchyard/processes/${dev}:${ino}`);
    if (server !== undefined) return () => new Promise((resolve) => server.close(() => resolve()));
    if (waited >= PATIENCE) {
      throw new FolderInUseError(
        `${folder} is in use by another controller; stop that one or choose another state folder`,
      );
    }
    await clock.sleep(RETRY_INTERVAL, never);
  }
}

/** Undefined where somebody else listens there. */
function listen(path: string): Promise<Server | undefined> {
  const server = createServer((connection) => connection.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}
