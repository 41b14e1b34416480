/** Brings the tables to what this release needs, one client at a time, and refuses what it cannot work with. */
import pg from 'pg';
import { identifier } from './connection.ts';
import { WorkflowStoreError } from './faults.ts';
import { type Patience, patiently } from './patience.ts';
import type { Migration } from './schema.ts';

export interface MigrateOptions extends Patience {
  readonly connectionString: string;
  readonly schema: string;
  /** False: what is missing is an error that says so, for roles that may not create tables. */
  readonly mayMigrate: boolean;
  /** The migrations that this release knows. */
  readonly migrations: readonly Migration[];
}

interface Installed {
  readonly version: number;
  readonly oldestReader: number;
}

/** Resolves when the database is at the newest version that this release knows, or at a newer one that it can work with. */
export function migrate(options: MigrateOptions): Promise<void> {
  // What was committed is found the next time, so that it can be tried again.
  return patiently('the migration of the workflow store', options, () => migrateOnce(options));
}

async function migrateOnce(options: MigrateOptions): Promise<void> {
  const { connectionString, schema, mayMigrate, migrations } = options;
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const known = migrations.at(-1)?.version ?? 0;
    const found = await installed(client, schema);
    if (isEnough(found, known)) return;
    if (!mayMigrate)
      throw new WorkflowStoreError(
        `schema ${JSON.stringify(schema)} of the workflow store is at version ${found.version}, and this release needs ${known}; open the store once with a role that may create tables`,
      );
    await client.query('BEGIN');
    // Released with the transaction, whatever becomes of this client.
    await client.query("SELECT pg_advisory_xact_lock(hashtext('switchyard migration'), hashtext($1))", [
      schema,
    ]);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`);
    await client.query("SELECT set_config('search_path', $1, true)", [identifier(schema)]);
    await client.query(
      'CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY, oldest_reader integer NOT NULL, at timestamptz NOT NULL DEFAULT now())',
    );
    const { version } = await installed(client, schema);
    for (const migration of migrations.filter((one) => one.version > version)) {
      await client.query(migration.statements);
      await client.query('INSERT INTO migrations (version, oldest_reader) VALUES ($1, $2)', [
        migration.version,
        migration.oldestReader,
      ]);
    }
    await client.query('COMMIT');
  } finally {
    await client.end().catch(() => undefined);
  }
}

function isEnough({ version, oldestReader }: Installed, known: number): boolean {
  checkReader(oldestReader, known);
  return version >= known;
}

/** Throws where a newer release has taken away what this one needs. */
export function checkReader(oldestReader: number, known: number): void {
  if (oldestReader <= known) return;
  throw new WorkflowStoreError(
    `the tables of the workflow store need a release that knows their version ${oldestReader}, and this one knows ${known}: upgrade it`,
  );
}

async function installed(client: pg.Client, schema: string): Promise<Installed> {
  const table = `${identifier(schema)}.migrations`;
  const { rows: found } = await client.query<{ exists: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AS exists',
    [table],
  );
  if (found[0]?.exists !== true) return { version: 0, oldestReader: 0 };
  const { rows } = await client.query<Installed>(
    `SELECT coalesce(max(version), 0)::int AS version, coalesce(max(oldest_reader), 0)::int AS "oldestReader" FROM ${table}`,
  );
  return rows[0] ?? { version: 0, oldestReader: 0 };
}
