// The contract of workflow stores, on a real Postgres. Each test has a schema of its own in one database.
import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import { openPostgresWorkflowStore } from '../../src/adapters/workflow-postgres/store.ts';
import { workflowStoreContract } from '../contract/workflow-store.ts';
import { administer, type PostgresServer, startPostgres } from '../support/postgres.ts';

let running: Promise<{ readonly server: PostgresServer; readonly database: string }> | undefined;

/** Started by the first test that needs it, because only a test can end as not run. */
async function start(): Promise<{ readonly server: PostgresServer; readonly database: string }> {
  const server = await startPostgres();
  return { server, database: await server.database() };
}

afterAll(async () => {
  await (await running?.catch(() => undefined))?.server.stop();
});

workflowStoreContract('Postgres', async () => {
  running ??= start();
  const { database: connectionString } = await running;
  const schema = `store-${randomUUID()}`;
  return {
    open: () => openPostgresWorkflowStore({ connectionString, schema }),
    remove: () => administer(connectionString, `DROP SCHEMA "${schema}" CASCADE`),
  };
});
