/**
 * pg-boss: a version is a queue, all in one table. Jobs are fetched several at a time, and each is completed by a call of
 * its own; or, to show the fastest that it has, all of a fetch by one call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type Job, PgBoss } from 'pg-boss';
import { BATCH, CONCURRENCY, type Engine, type OpenEngine, type Payload } from './engine.ts';

const QUEUES = { own: 'jobs-v1', other: 'jobs-v2' };
const FILLED_AT_ONCE = 10_000;
/** As many fetches under way as keep the jobs in hand. */
const LOOPS = CONCURRENCY / BATCH;

/** Fetches and completes without a pause while there are jobs. */
export const openPgBoss: OpenEngine = (connectionString) => open(connectionString, 'each');

/** The same, with one completion for all jobs of a fetch. */
export const openPgBossInBatches: OpenEngine = (connectionString) => open(connectionString, 'together');

/** Its own workers, one job at a time, woken by NOTIFY: for latency. */
export const openPgBossWorkers: OpenEngine = (connectionString) => open(connectionString, 'workers');

async function open(connectionString: string, how: 'each' | 'together' | 'workers'): Promise<Engine> {
  const isNotified = how === 'workers';
  const boss = new PgBoss({ connectionString, schedule: false, useListenNotify: isNotified });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  for (const name of Object.values(QUEUES)) await boss.createQueue(name, { notify: isNotified });
  const client = new Client({ connectionString });
  await client.connect();
  return {
    async fill(count, version) {
      for (let left = count; left > 0; left -= FILLED_AT_ONCE) {
        const jobs = Array.from({ length: Math.min(left, FILLED_AT_ONCE) }, () => ({ data: { at: 0 } }));
        await boss.insert(QUEUES[version], jobs);
      }
      await client.query('VACUUM ANALYZE');
    },
    async add(payload) {
      await boss.send(QUEUES.own, payload);
    },
    async work(reports) {
      if (how === 'workers') {
        await boss.work<Payload>(
          QUEUES.own,
          { batchSize: 1, localConcurrency: LOOPS, pollingIntervalSeconds: 0.5 },
          async ([job]) => {
            if (job !== undefined) reports.begun(job.data);
            reports.finished();
          },
        );
        return () => boss.offWork(QUEUES.own, { wait: true });
      }
      const stopping = new AbortController();
      const loop = async (): Promise<void> => {
        while (!stopping.signal.aborted) {
          const jobs = await boss.fetch<Payload>(QUEUES.own, { batchSize: BATCH });
          for (const { data } of jobs) reports.begun(data);
          await complete(jobs);
          if (jobs.length === 0) await sleep(2);
        }
      };
      const complete = async (jobs: readonly Job<Payload>[]): Promise<void> => {
        if (how === 'each')
          await Promise.all(
            jobs.map(async ({ id }) => {
              await boss.complete(QUEUES.own, id);
              reports.finished();
            }),
          );
        else if (jobs.length > 0) {
          await boss.complete(
            QUEUES.own,
            jobs.map(({ id }) => id),
          );
          for (const _ of jobs) reports.finished();
        }
      };
      const loops = Array.from({ length: LOOPS }, loop);
      return async () => {
        stopping.abort();
        await Promise.all(loops);
      };
    },
    async waiting(version) {
      const { rows } = await client.query<{ count: string }>(
        "SELECT count(*) FROM pgboss.job WHERE name = $1 AND state < 'completed'",
        [QUEUES[version]],
      );
      return Number(rows[0]?.count);
    },
    async close() {
      await client.end();
      await boss.stop({ graceful: false });
    },
  };
}
