/** What one call works with, inside its transaction. */
import type { Instant } from '../../model/instant.ts';
import type { Sql } from './sql.ts';

export interface Scope {
  readonly sql: Sql;
  /** The time of the call: all that it writes carries it. */
  readonly now: Instant;
  /** Says that something may be due now that was not before. */
  readonly madeDue: () => void;
}
