/** One delegate, put together: its tasks, its connection, and what it tells its watcher. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { systemClock } from '../../src/adapters/clock.ts';
import { FolderInUseError, lockFolder } from '../../src/adapters/processes/folder-lock.ts';
import { Journal } from './journal.ts';
import { Link } from './link.ts';
import { type Health, serveLocally } from './local-server.ts';
import type { DelegateOptions } from './options.ts';
import { runHttp } from './tasks/http.ts';
import { runShell } from './tasks/shell.ts';
import { Work } from './work.ts';

export interface Delegate {
  /** Of its HTTP server. */
  readonly port: number;
  health(): Health;
  /** Takes nothing new, finishes what it has, and ends. */
  drain(): void;
  /** Ends at once; what ran is told of as interrupted by the next process. */
  abandon(): Promise<void>;
  /** Resolves when it has ended, either way. */
  readonly ended: Promise<void>;
}

/** How often a delegate that drains looks whether it is done. */
const LOOK_EVERY_MS = 20;
const RECONNECT = { initial: 500, most: 30_000 };

/** Starts. Rejects where its folder is in use or its port is taken. */
export async function startDelegate(options: DelegateOptions, log: Logger): Promise<Delegate> {
  const journal = await Journal.open(options.data);
  const unlock = await lockFolder(options.data, systemClock).catch((error: unknown) => {
    if (!(error instanceof FolderInUseError)) throw error;
    throw new Error(`${options.data} is in use by another delegate; choose another --data`, { cause: error });
  });
  const work = await Work.open({
    journal,
    kinds: { shell: runShell, http: runHttp },
    capacity: options.capacity,
    onUnreadable: (file) => log.error({ file }, 'a record of a task could not be read and was put aside'),
  });
  const link = new Link({
    delegate: options,
    patience: { ...RECONNECT, stableAfter: options.stableAfter },
    work,
    log,
    random: Math.random,
  });
  const health = () => healthOf(work, link);
  const stop = new AbortController();
  const running = link.run(stop.signal);
  const ended = Promise.withResolvers<void>();
  const close = async () => {
    stop.abort();
    await running;
    await server.close();
    await unlock();
  };
  const drained = async () => {
    work.drain();
    log.info({ openTasks: work.leases.length }, 'draining');
    // Results for a version that nobody asks for any more stay on disk: nobody would take them.
    while (link.versionNotActive === undefined ? work.leases.length > 0 : work.running > 0) {
      if (stop.signal.aborted) return;
      await sleep(LOOK_EVERY_MS);
    }
    await close();
  };
  let draining: Promise<void> | undefined;
  const drain = () => {
    draining ??= drained().then(ended.resolve, ended.reject);
  };
  const abandon = async () => {
    stop.abort();
    await work.abandon();
    await draining;
    await close().then(ended.resolve, ended.reject);
  };
  const server = await serveLocally({ port: options.port, health, drain }).catch(async (error: unknown) => {
    stop.abort();
    await unlock();
    throw error;
  });
  return { port: server.port, health, drain, abandon, ended: ended.promise };
}

function healthOf(work: Work, link: Link): Health {
  return {
    ready: link.connected && work.capacity > 0,
    connected: link.connected,
    openTasks: work.leases.length,
    versionNotActive: link.versionNotActive !== undefined,
    reason: link.versionNotActive ?? (link.connected ? '' : 'it has no stream to a manager'),
  };
}
