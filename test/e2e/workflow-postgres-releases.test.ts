// Neighbouring releases share one Postgres at the same time: the newer one only adds to it. And who may do what there.
import { Client } from 'pg';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { MIGRATIONS, type Migration } from '../../src/adapters/workflow-postgres/schema.ts';
import {
  openPostgresWorkflowStore,
  type PostgresWorkflowStoreOptions,
} from '../../src/adapters/workflow-postgres/store.ts';
import type { WorkflowStore } from '../../src/ports/workflow-store.ts';
import { administer, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { workOnEvents, workOnTasks } from '../support/workflow/build-and-end.ts';
import { newExecution } from '../support/workflow/builders.ts';

const LAST = MIGRATIONS.length;

/** What a next release might add: a table, and columns that it fills. */
const NEXT: Migration = {
  version: LAST + 1,
  oldestReader: 1,
  statements: `CREATE TABLE forecasts (execution bigint PRIMARY KEY, ends_at bigint NOT NULL);
    ALTER TABLE executions ADD COLUMN labels text NOT NULL DEFAULT '{}';
    ALTER TABLE events ADD COLUMN trace text;
    CREATE INDEX events_by_trace ON events (trace) WHERE trace IS NOT NULL`,
};
/** A release later, which takes away what only this one needed. */
const CONTRACTED: Migration = {
  version: LAST + 2,
  oldestReader: LAST + 1,
  statements: 'DROP INDEX executions_of_tenant',
};

let running: Promise<PostgresServer> | undefined;

afterAll(async () => {
  await (await running?.catch(() => undefined))?.stop();
});

async function newDatabase(): Promise<string> {
  running ??= startPostgres();
  return (await running).database();
}

function open(
  connectionString: string,
  added: readonly Migration[] = [],
  options: Partial<PostgresWorkflowStoreOptions> = {},
): Promise<WorkflowStore> {
  const migrations = [...MIGRATIONS, ...added];
  const opening = openPostgresWorkflowStore({ connectionString, migrations, patience: 5_000, ...options });
  onTestFinished(async () => (await opening.catch(() => undefined))?.close());
  return opening;
}

async function rows(connectionString: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('a Postgres and two releases', () => {
  test('the released migrations are numbered from 1 without gaps', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
    for (const { version, oldestReader } of MIGRATIONS) expect(oldestReader).toBeLessThanOrEqual(version);
  });

  test('this one works on while the next one adds, and each goes on with what the other began', async () => {
    const database = await newDatabase();
    const older = await open(database);
    await older.start(newExecution({ name: 'begun before' }));
    const newer = await open(database, [NEXT]);
    await newer.start(newExecution({ name: 'begun by the newer' }));
    await older.start(newExecution({ name: 'begun by the older' }));
    expect([await workOnEvents(older), await workOnTasks(newer), await workOnEvents(older)]).toEqual([
      3, 3, 3,
    ]);
    await older.start(newExecution({ name: 'at the end' }));
    expect([await workOnEvents(newer), await workOnTasks(older), await workOnEvents(newer)]).toEqual([
      1, 1, 1,
    ]);
    for (const store of [older, newer]) {
      const ended = await store.executions({ state: 'Succeeded', limit: 10 });
      expect(ended.map(({ result }) => result)).toEqual([
        'at the end',
        'begun by the older',
        'begun by the newer',
        'begun before',
      ]);
    }
  });

  test('this one opens what the next one has added to, and does not undo it', async () => {
    const database = await newDatabase();
    await (await open(database, [NEXT])).close();
    const older = await open(database);
    await older.start(newExecution());
    expect(await rows(database, 'SELECT labels FROM switchyard_workflow.executions')).toEqual([
      { labels: '{}' },
    ]);
    expect(
      await rows(
        database,
        'SELECT version, oldest_reader FROM switchyard_workflow.migrations ORDER BY version',
      ),
    ).toEqual([
      ...MIGRATIONS.map(({ version, oldestReader }) => ({ version, oldest_reader: oldestReader })),
      { version: LAST + 1, oldest_reader: 1 },
    ]);
  });

  test('processes that come at once migrate once', async () => {
    const database = await newDatabase();
    const stores = await Promise.all([open(database), open(database, [NEXT]), open(database, [NEXT])]);
    for (const store of stores) await store.start(newExecution());
    expect(await stores[0].executions({ limit: 10 })).toHaveLength(3);
  });

  test('a release that can no longer work with the tables is told so, at its next change and when it opens', async () => {
    const database = await newDatabase();
    const older = await open(database);
    const neighbour = await open(database, [NEXT]);
    await open(database, [NEXT, CONTRACTED]);
    await expect(older.start(newExecution())).rejects.toThrow(
      new RegExp(`version ${CONTRACTED.oldestReader}.*upgrade`),
    );
    await expect(open(database)).rejects.toThrow(new RegExp(`version ${CONTRACTED.oldestReader}.*upgrade`));
    await neighbour.start(newExecution());
  });

  test('a migration that fails leaves everything as it was', async () => {
    const database = await newDatabase();
    const older = await open(database);
    const failing = { ...NEXT, statements: `${NEXT.statements}; INSERT INTO nowhere VALUES (1)` };
    await expect(open(database, [failing])).rejects.toThrow(/nowhere/);
    await older.start(newExecution());
    await open(database, [NEXT]);
  });
});

describe('roles', () => {
  test('a role without the right to create works on tables that another one made, and is told where they are missing', async () => {
    const database = await newDatabase();
    await administer(database, 'CREATE ROLE manager LOGIN');
    const asManager = database.replace('postgres@', 'manager@');
    await expect(open(asManager, [], { mayMigrate: false })).rejects.toThrow(/role that may create tables/);
    await (await open(database)).close();
    await expect(open(asManager, [], { mayMigrate: false })).rejects.toThrow(
      /lacks a privilege.*workflow-postgres/,
    );
    for (const grant of [
      'GRANT USAGE ON SCHEMA switchyard_workflow TO manager',
      'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA switchyard_workflow TO manager',
      'GRANT USAGE ON ALL SEQUENCES IN SCHEMA switchyard_workflow TO manager',
    ]) {
      await administer(database, grant);
    }
    const store = await open(asManager, [], { mayMigrate: false });
    await store.start(newExecution());
    expect([await workOnEvents(store), await workOnTasks(store), await workOnEvents(store)]).toEqual([
      1, 1, 1,
    ]);
  });

  test.each([
    { what: 'a database that does not exist', change: 'nowhere', advice: /create it/ },
    { what: 'a server that is not there', change: undefined, advice: /ECONNREFUSED/ },
  ])('$what is told with what to do', async ({ change, advice }) => {
    const url = new URL(await newDatabase());
    if (change === undefined) url.port = '1';
    else url.pathname = change;
    await expect(open(url.href, [], { patience: 100 })).rejects.toThrow(advice);
  });
});
