/**
 * The Store port over one SQLite file, which this process owns while the store is open. Calls go to a worker thread,
 * which handles them one after the other; so commits are in the order of the calls.
 */
import { KEPT_MEASUREMENTS, type Store } from '../../ports/store.ts';
import { StoreThread } from '../store-thread.ts';
import { fromPlain, type PlainError, StoreWriteError } from './errors.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';
import type { Calls, WorkerSettings } from './protocol.ts';

/** Which file, and how much it keeps. */
export interface SqliteStoreOptions {
  /** Made where it does not exist; its folder must. */
  readonly file: string;
  /** Audit events kept; the oldest go first. Default 100,000. */
  readonly eventsKept?: number;
  /** Measurements kept; those of the oldest ended rollouts go first. Default KEPT_MEASUREMENTS. */
  readonly measurementsKept?: number;
  /** The forms of the file that are known. Default: those of this release. */
  readonly migrations?: readonly Migration[];
}

/** Opens or makes the file. Rejects with StoreRefusedError where it is in use, damaged, foreign or too new. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const {
    file,
    eventsKept = 100_000,
    measurementsKept = KEPT_MEASUREMENTS,
    migrations = MIGRATIONS,
  } = options;
  const thread = await StoreThread.open<Calls, PlainError>({
    file: workerFile(),
    settings: { file, eventsKept, measurementsKept, migrations } satisfies WorkerSettings,
    fromPlain,
    lost: (cause) =>
      new StoreWriteError(`the store no longer answers (${cause.message}); restart the controller`, {
        cause,
      }),
  });
  return {
    load: () => thread.call('load', undefined),
    commit: (commit) => thread.call('commit', commit),
    saveProxies: (proxies) => thread.call('saveProxies', proxies),
    watchers: () => thread.call('watchers', undefined),
    saveWatchers: (changes) => thread.call('saveWatchers', changes),
    events: (query) => thread.call('events', query),
    rollouts: (query) => thread.call('rollouts', query),
    roll: (rollout) => thread.call('roll', rollout),
    appendMeasurements: (measurements) => thread.call('appendMeasurements', measurements),
    measurements: (rollout) => thread.call('measurements', rollout),
    saveTraffic: (counts) => thread.call('saveTraffic', counts),
    traffic: (query) => thread.call('traffic', query),
    saveCoverage: (coverage) => thread.call('saveCoverage', coverage),
    coverage: (query) => thread.call('coverage', query),
    backup: (target) => thread.call('backup', target),
    close: () => thread.close(),
  };
}

/** The worker beside this file, whether Node runs the sources or the published JavaScript. */
function workerFile(): URL {
  return import.meta.url.endsWith('.ts')
    ? new URL('./worker.ts', import.meta.url)
    : new URL('./worker.js', import.meta.url);
}
