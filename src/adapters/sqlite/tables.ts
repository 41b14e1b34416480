/**
 * The tables of a state file: since which form each is there, what the digest of a row covers, and when that is checked.
 * Rows that decide where traffic goes are checked before the controller begins. Of the long history only the sum is,
 * which shows that no row is missing or out of date; each row is checked against its digest when it is read.
 */

/** One table beside `meta`. */
export interface Table {
  /** The migration that made it. */
  readonly since: number;
  /** The columns that the digest of a row covers, `key` first. */
  readonly columns: readonly [key: 'key', ...string[]];
  readonly checked: 'AtOpening' | 'WhenRead';
}

export const TABLES = {
  service: { since: 1, columns: ['key', 'body'], checked: 'AtOpening' },
  proxy: { since: 1, columns: ['key', 'body'], checked: 'AtOpening' },
  event: { since: 1, columns: ['key', 'service', 'body'], checked: 'AtOpening' },
  rollout: { since: 2, columns: ['key', 'id', 'service', 'body'], checked: 'AtOpening' },
  measurement: { since: 2, columns: ['key', 'rollout', 'body'], checked: 'WhenRead' },
  traffic: { since: 2, columns: ['key', 'service', 'start', 'body'], checked: 'WhenRead' },
  coverage: { since: 2, columns: ['key', 'body'], checked: 'AtOpening' },
} as const satisfies Readonly<Record<string, Table>>;

export type TableName = keyof typeof TABLES;

/** The tables that a file of this form has. */
export function tablesOf(schema: number): readonly TableName[] {
  return (Object.keys(TABLES) as TableName[]).filter((name) => TABLES[name].since <= schema);
}
