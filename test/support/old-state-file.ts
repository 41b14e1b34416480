/** Makes the state file of an earlier release from its rows as text (test/golden/state/), byte for byte in content. */
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

interface OldState {
  readonly applicationId: number;
  readonly userVersion: number;
  readonly schema: readonly string[];
  readonly [table: string]: unknown;
}

/** The rows of a table, as they were written; digests in hexadecimal digits. */
export type OldRow = Readonly<Record<string, string | number | null>>;

/** Reads the rows that a release wrote. */
export function oldState(release: string): OldState {
  const text = readFileSync(new URL(`../golden/state/${release}.json`, import.meta.url), 'utf8');
  return JSON.parse(text) as OldState;
}

/** The rows of one table. */
export function rowsOf(state: OldState, table: string): readonly OldRow[] {
  return state[table] as readonly OldRow[];
}

/** Writes the file. */
export function writeOldState(state: OldState, file: string): void {
  const database = new DatabaseSync(file);
  database.exec(
    `PRAGMA application_id = ${state.applicationId}; PRAGMA user_version = ${state.userVersion}; PRAGMA journal_mode = WAL`,
  );
  for (const statement of state.schema) database.exec(statement);
  for (const table of ['meta', 'service', 'proxy', 'event']) {
    for (const row of rowsOf(state, table)) {
      const columns = Object.keys(row);
      const values = columns.map((name) =>
        name === 'digest' ? Buffer.from(String(row[name]), 'hex') : (row[name] ?? null),
      );
      database
        .prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
        .run(...values);
    }
  }
  database.close();
}
