/** The rows that others belong to. */
import type { Execution, ExecutionId } from '../../model/workflow.ts';
import type { Scope } from './scope.ts';
import type { Row } from './sql.ts';

export function executionRow({ sql }: Scope, id: ExecutionId): Row | undefined {
  return sql.row('SELECT * FROM execution WHERE id = ?', id);
}

/** The row of an execution that an event or a task belongs to. */
export function existingRow({ sql }: Scope, key: number): Row {
  const row = sql.row('SELECT * FROM execution WHERE key = ?', key);
  if (row === undefined) throw missing(key);
  return row;
}

/** What most need of the execution of an event or a task: its data may be large. */
export function briefOf({ sql }: Scope, key: number): Pick<Execution, 'id' | 'revision'> {
  const row = sql.row('SELECT id, revision FROM execution WHERE key = ?', key);
  if (row === undefined) throw missing(key);
  return { id: row['id'] as ExecutionId, revision: Number(row['revision']) };
}

function missing(key: number): Error {
  return new Error(`execution ${key} is missing, though something of it is there`);
}
