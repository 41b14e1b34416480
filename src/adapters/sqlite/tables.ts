/** The tables of a state file: since which form each is there, and what the digest of a row covers. */

/** One table beside `meta`. */
export interface Table {
  /** The migration that made it. */
  readonly since: number;
  /** The columns that the digest of a row covers, `key` first. */
  readonly columns: readonly [key: 'key', ...string[]];
}

export const TABLES = {
  service: { since: 1, columns: ['key', 'body'] },
  proxy: { since: 1, columns: ['key', 'body'] },
  event: { since: 1, columns: ['key', 'service', 'body'] },
  rollout: { since: 2, columns: ['key', 'id', 'service', 'body'] },
  measurement: { since: 2, columns: ['key', 'rollout', 'body'] },
  traffic: { since: 2, columns: ['key', 'service', 'start', 'body'] },
  coverage: { since: 2, columns: ['key', 'body'] },
  roll: { since: 3, columns: ['key', 'body'] },
  watcher: { since: 3, columns: ['key', 'service', 'body'] },
} as const satisfies Readonly<Record<string, Table>>;

export type TableName = keyof typeof TABLES;

/** The tables that a file of this form has. */
export function tablesOf(schema: number): readonly TableName[] {
  return (Object.keys(TABLES) as TableName[]).filter((name) => TABLES[name].since <= schema);
}
