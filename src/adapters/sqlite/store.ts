/**
 * The Store port over one SQLite file, which this process owns while the store is open. Calls go to a worker thread,
 * which handles them one after the other; so commits are in the order of the calls.
 */
import { Worker } from 'node:worker_threads';
import { KEPT_MEASUREMENTS, type Store } from '../../ports/store.ts';
import { fromPlain, StoreWriteError } from './errors.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';
import type { Answer, Calls, WorkerSettings } from './protocol.ts';

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
  const thread = new StoreThread({ file, eventsKept, measurementsKept, migrations });
  try {
    await thread.call('open', undefined);
  } catch (error) {
    await thread.end();
    throw error;
  }
  return {
    load: () => thread.call('load', undefined),
    commit: (commit) => thread.call('commit', commit),
    saveProxies: (proxies) => thread.call('saveProxies', proxies),
    watchers: () => thread.call('watchers', undefined),
    saveWatchers: (changes) => thread.call('saveWatchers', changes),
    events: (query) => thread.call('events', query),
    rollouts: (query) => thread.call('rollouts', query),
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

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** Calls to the worker. Answers come in the order of the calls. */
class StoreThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #ended: Promise<void>;
  #closing: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(settings: WorkerSettings) {
    this.#worker = new Worker(workerFile(), { workerData: settings });
    this.#worker.on('message', (answer: Answer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new Error('its thread has ended'));
        resolve();
      });
    });
  }

  async call<Name extends keyof Calls>(
    name: Name,
    argument: Calls[Name]['argument'],
  ): Promise<Calls[Name]['result']> {
    if (this.#closing !== undefined && name !== 'close') throw new Error('the store is closed');
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise((resolve, reject) => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
      this.#worker.postMessage({ name, argument });
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Calls that were made before are answered first. */
  close(): Promise<void> {
    this.#closing ??= this.call('close', undefined).then(() => this.#ended);
    return this.#closing;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.shift();
    if (answer.kind === 'result') waiting?.resolve(answer.result as never);
    else waiting?.reject(fromPlain(answer.error));
  }

  #fail(cause: Error): void {
    this.#failure ??= new StoreWriteError(
      `the store no longer answers (${cause.message}); restart the controller`,
      { cause },
    );
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

/** The worker beside this file, whether Node runs the sources or the published JavaScript. */
function workerFile(): URL {
  return import.meta.url.endsWith('.ts')
    ? new URL('./worker.ts', import.meta.url)
    : new URL('./worker.js', import.meta.url);
}
