/**
 * graphile-worker: a version is a task identifier, all in one table. As it comes, each job is fetched and completed by a
 * statement of its own; or with its local queue and batched completion, the fastest that it has.
 */
import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, run, type WorkerEvents } from 'graphile-worker';
import { Client, Pool } from 'pg';
import { BATCH, CONCURRENCY, type Engine, type OpenEngine, type Payload } from './engine.ts';

const TASKS = { own: 'job-v1', other: 'job-v2' };
const POOL = 10;

const logger = new Logger(() => () => undefined);

export const openGraphileWorker: OpenEngine = (connectionString) => open(connectionString, 'each');

export const openGraphileWorkerInBatches: OpenEngine = (connectionString) =>
  open(connectionString, 'together');

async function open(connectionString: string, how: 'each' | 'together'): Promise<Engine> {
  const pgPool = new Pool({ connectionString, max: POOL });
  const tell = (error: Error): void => console.error(error.message);
  pgPool.on('error', tell);
  pgPool.on('connect', (connection) => connection.on('error', tell));
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  const client = new Client({ connectionString });
  await client.connect();
  const batches =
    how === 'together' ? { localQueue: { size: CONCURRENCY + BATCH }, completeJobBatchDelay: 0 } : {};
  return {
    async fill(count, version) {
      await client.query(
        `SELECT graphile_worker.add_jobs(ARRAY (
          SELECT json_populate_record(NULL::graphile_worker.job_spec,
            json_build_object('identifier', $1::text, 'payload', json_build_object('at', 0)))
          FROM generate_series(1, $2::int)))`,
        [TASKS[version], count],
      );
      await client.query('VACUUM ANALYZE');
    },
    async add(payload) {
      await utils.addJob(TASKS.own, payload);
    },
    async work(reports) {
      const events: WorkerEvents = new EventEmitter();
      events.on('job:complete', ({ error }) => {
        if (error !== null && error !== undefined) throw error;
        reports.finished();
      });
      const runner = await run({
        pgPool,
        logger,
        events,
        noHandleSignals: true,
        taskList: { [TASKS.own]: (payload) => reports.begun(payload as Payload) },
        preset: {
          worker: { concurrentJobs: how === 'each' ? 24 : CONCURRENCY, maxPoolSize: POOL, ...batches },
        },
      });
      return () => runner.stop();
    },
    async waiting(version) {
      const { rows } = await client.query<{ count: string }>(
        `SELECT count(*) FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id
        WHERE t.identifier = $1`,
        [TASKS[version]],
      );
      return Number(rows[0]?.count);
    },
    async close() {
      await client.end();
      await utils.release();
      await pgPool.end();
    },
  };
}
