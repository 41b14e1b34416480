/** The workflow library's store: a job is an execution with one event, and its end is one step. */
import { Client } from 'pg';
import { openPostgresWorkflowStore } from '../../src/adapters/workflow-postgres/store.ts';
import { tenantName, versionName } from '../../src/model/names.ts';
import type { Step } from '../../src/model/step.ts';
import { DEFAULT_PRIORITY, type ManagerId } from '../../src/model/workflow.ts';
import type { ClaimedEvent } from '../../src/ports/workflow-store.ts';
import { BATCH, CONCURRENCY, type OpenEngine, type Payload, TENANTS } from './engine.ts';

const VERSIONS = { own: versionName('v1'), other: versionName('v2') };
const worker = { manager: 'bench' as ManagerId, version: VERSIONS.own };
const LEASE = 60_000;

const done: Step = {
  data: null,
  events: [],
  tasks: [],
  cancelTasks: [],
  cancelEvents: [],
  notes: [],
  end: { state: 'Succeeded', error: '' },
};

export const openSwitchyard: OpenEngine = async (connectionString) => {
  const store = await openPostgresWorkflowStore({ connectionString });
  const client = new Client({ connectionString, options: '-c search_path=switchyard_workflow' });
  await client.connect();
  let added = 0;
  return {
    async fill(count, version) {
      // What `start` writes, many at a time.
      await client.query('BEGIN');
      const now = await store.now();
      await client.query(
        `INSERT INTO executions (id, tenant, version, machine, name, priority, state, data, revision, started_at, updated_at,
          error, history_lines)
        SELECT nextval('execution_ids'), 'tenant' || i % ${TENANTS}, $1, 'job', 'job', ${DEFAULT_PRIORITY}, 'Running', 'null', 0, $3,
          $3, '', 1 FROM generate_series(1, $2::int) i`,
        [VERSIONS[version], count, now],
      );
      await client.query(
        "INSERT INTO open_executions SELECT version, id FROM executions WHERE version = $1 AND state = 'Running' ON CONFLICT DO NOTHING",
        [VERSIONS[version]],
      );
      await client.query(
        `INSERT INTO events (id, execution, tenant, version, kind, payload, priority, rank, state, due_at, attempt, token, lease_until)
        SELECT nextval('event_ids'), id, tenant, version, 'Start', '{"at":0}', ${DEFAULT_PRIORITY}, 9 - ${DEFAULT_PRIORITY}, 'queued',
          $2, 0, 0, 0 FROM executions WHERE version = $1`,
        [VERSIONS[version], now],
      );
      await client.query(
        `INSERT INTO history (execution, sequence, at, kind, revision, version, manager, manager_version, step, detail)
        SELECT id, 1, $2, 'Started', 0, version, 'bench', version, 'job', '' FROM executions WHERE version = $1`,
        [VERSIONS[version], now],
      );
      await client.query('COMMIT');
      await client.query('VACUUM ANALYZE executions, open_executions, events, history');
    },
    async add(payload) {
      const outcome = await store.start({
        tenant: tenantName(`tenant${(added += 1) % TENANTS}`),
        version: VERSIONS.own,
        machine: 'job',
        name: 'job',
        priority: DEFAULT_PRIORITY,
        data: null,
        input: { ...payload },
        worker,
      });
      if (outcome.kind !== 'Started') throw new Error(`the store answered ${outcome.kind}`);
    },
    async work(reports) {
      const stopping = new AbortController();
      const sleeping = new Set<() => void>();
      const wake = (): void => {
        for (const resolve of sleeping) resolve();
        sleeping.clear();
      };
      const unsubscribe = store.subscribe(wake);
      const finish = async ({ event, lease, execution }: ClaimedEvent): Promise<void> => {
        reports.begun(event.payload as unknown as Payload);
        const outcome = await store.apply({
          lease: { event: event.id, token: lease.token },
          revision: execution.revision,
          step: done,
          worker,
        });
        if (outcome.kind !== 'Applied') throw new Error(`the store answered ${outcome.kind}`);
        reports.finished();
      };
      const loop = async (): Promise<void> => {
        while (!stopping.signal.aborted) {
          // Begun before the claim: a call that comes while it is under way is not missed.
          const woken = new Promise<void>((resolve) => sleeping.add(resolve));
          const claims = await store.claimEvents({
            worker,
            versions: [VERSIONS.own],
            limit: BATCH,
            lease: LEASE,
          });
          await Promise.all(claims.map(finish));
          if (claims.length === 0) await woken;
        }
      };
      const loops = Array.from({ length: CONCURRENCY / BATCH }, loop);
      return async () => {
        stopping.abort();
        wake();
        await Promise.all(loops);
        unsubscribe();
      };
    },
    async waiting(version) {
      return (await store.count(VERSIONS[version])).executions;
    },
    async close() {
      await client.end();
      await store.close();
    },
  };
};
