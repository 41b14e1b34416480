/**
 * Counting and timing of calls: the store's commits, and the operations. The wrapped object does what the given one
 * does; a failed call counts under the name or code of its error and fails as before.
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Measurement } from '../model/measurement.ts';
import { GenerationConflictError, type Store } from '../ports/store.ts';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Where the store's calls are counted. */
export interface StoreMeters {
  readonly registry: Registry;
  /** Told of measurements that were stored. */
  readonly measured: (measurements: readonly Measurement[]) => void;
}

/**
 * A store whose commits are counted, by `result`: `ok`, `conflict` (another writer was first) or `failed`. Measurements
 * are told when they are stored.
 */
export function measuredStore(store: Store, { registry, measured }: StoreMeters): Store {
  const commits = new Counter({
    name: 'switchyard_store_commits_total',
    help: 'Commits to the store by result (ok, conflict, failed).',
    labelNames: ['result'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'switchyard_store_commit_seconds',
    help: 'Time until a commit was on the disk.',
    buckets: BUCKETS,
    registers: [registry],
  });
  const failures = new Counter({
    name: 'switchyard_store_write_failures_total',
    help: 'Writes beside commits that failed (measurements, traffic, coverage, proxies, watchers).',
    labelNames: ['write'],
    registers: [registry],
  });
  for (const result of ['ok', 'conflict', 'failed']) commits.inc({ result }, 0);
  for (const write of ['measurements', 'traffic', 'coverage', 'proxies', 'watchers'])
    failures.inc({ write }, 0);
  const counted = async (write: string, written: Promise<void>): Promise<void> => {
    try {
      await written;
    } catch (error) {
      failures.inc({ write });
      throw error;
    }
  };
  return {
    ...store,
    async commit(commit) {
      const end = seconds.startTimer();
      try {
        const events = await store.commit(commit);
        end();
        commits.inc({ result: 'ok' });
        return events;
      } catch (error) {
        commits.inc({ result: error instanceof GenerationConflictError ? 'conflict' : 'failed' });
        throw error;
      }
    },
    async appendMeasurements(measurements) {
      await counted('measurements', store.appendMeasurements(measurements));
      measured(measurements);
    },
    saveTraffic: (counts) => counted('traffic', store.saveTraffic(counts)),
    saveCoverage: (coverage) => counted('coverage', store.saveCoverage(coverage)),
    saveProxies: (proxies) => counted('proxies', store.saveProxies(proxies)),
    saveWatchers: (changes) => counted('watchers', store.saveWatchers(changes)),
  };
}

/** Methods that answer with a promise. */
type AsyncMethods<T> = {
  [Key in keyof T]: T[Key] extends (...given: never[]) => Promise<unknown> ? Key : never;
}[keyof T] &
  string;

/** Operations, of which the named ones are counted by `result`: `ok`, or the code of the refusal. */
export function measuredOperations<T extends object>(
  operations: T,
  names: readonly AsyncMethods<T>[],
  registry: Registry,
): T {
  const total = new Counter({
    name: 'switchyard_operations_total',
    help: 'Operations by name and result (ok, or why it was refused).',
    labelNames: ['operation', 'result'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'switchyard_operation_seconds',
    help: 'Time that an operation took, refused ones included.',
    labelNames: ['operation'],
    buckets: BUCKETS,
    registers: [registry],
  });
  for (const operation of names) for (const result of ['ok', FAULT]) total.inc({ operation, result }, 0);
  const measured = Object.fromEntries(
    names.map((operation) => {
      const call = operations[operation] as (...given: unknown[]) => Promise<unknown>;
      const counted = async (...given: unknown[]): Promise<unknown> => {
        const end = seconds.startTimer({ operation });
        try {
          const outcome = await call.apply(operations, given);
          total.inc({ operation, result: 'ok' });
          return outcome;
        } catch (error) {
          total.inc({ operation, result: resultOf(error) });
          throw error;
        } finally {
          end();
        }
      };
      return [operation, counted];
    }),
  );
  return { ...operations, ...measured };
}

/** Any error that is no refusal is a fault of ours. */
const FAULT = 'Fault';

function resultOf(error: unknown): string {
  const isRefusal = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return isRefusal && error.name === 'OperationError' ? String(error.code) : FAULT;
}
