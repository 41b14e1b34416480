/** Executions: how they begin, how they are read, and how they are removed in the end. */
import { randomUUID } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { after, type Instant } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { Execution, ExecutionId, Worker } from '../../model/workflow.ts';
import type {
  ExecutionQuery,
  NewExecution,
  StartOutcome,
  WorkflowStore,
} from '../../ports/workflow-store.ts';
import { appendEvent } from './appending.ts';
import { executionRow, existingRow } from './find.ts';
import { record } from './history.ts';
import { encoded } from './json.ts';
import { toExecution } from './rows.ts';
import type { Scope } from './scope.ts';
import { fencedSince } from './versions.ts';

export function start(scope: Scope, request: NewExecution & { readonly worker: Worker }): StartOutcome {
  const { sql, now } = scope;
  const { tenant, version, priority, idempotencyKey, timeout } = request;
  const data = encoded('the state of the execution', request.data);
  const input = encoded('the input of the execution', request.input);
  if (idempotencyKey !== undefined) {
    const existing = sql.row(
      'SELECT * FROM execution WHERE tenant = ? AND idempotency_key = ?',
      tenant,
      idempotencyKey,
    );
    if (existing !== undefined) return { kind: 'Existing', execution: toExecution(existing) };
  }
  const since = fencedSince(scope, version);
  if (since !== undefined) return { kind: 'Fenced', since };
  const id = randomUUID() as string as ExecutionId;
  const deadline = timeout === undefined ? undefined : after(now, timeout);
  const key = sql.insert(
    `INSERT INTO execution (id, tenant, version, machine, name, priority, state, revision, started_at, updated_at, timeout,
      deadline, idempotency_key, error, data) VALUES (?, ?, ?, ?, ?, ?, 'Running', 0, ?, ?, ?, ?, ?, '', ?)`,
    id,
    tenant,
    version,
    request.machine,
    request.name,
    priority,
    now,
    now,
    timeout ?? null,
    deadline ?? null,
    idempotencyKey ?? null,
    data,
  );
  const owner = { key, tenant, version, priority };
  appendEvent(scope, owner, { kind: 'Start', payload: input, dueAt: now });
  if (deadline !== undefined)
    appendEvent(scope, owner, { kind: 'Timeout', payload: 'null', dueAt: deadline });
  record(scope, { execution: key, revision: 0, worker: request.worker }, [
    { kind: 'Started', step: request.machine, detail: request.name },
  ]);
  return { kind: 'Started', execution: toExecution(existingRow(scope, key)) };
}

export function execution(scope: Scope, id: ExecutionId): Execution | undefined {
  const row = executionRow(scope, id);
  return row === undefined ? undefined : toExecution(row);
}

export function executions({ sql }: Scope, query: ExecutionQuery): readonly Execution[] {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const where = (condition: string, value: string | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  where('tenant = ?', query.tenant);
  where('version = ?', query.version);
  // Written out for Running, so that SQLite sees that the index of open executions has them all.
  if (query.state === 'Running') conditions.push("state = 'Running'");
  else where('state = ?', query.state);
  where('key < (SELECT key FROM execution WHERE id = ?)', query.before);
  const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  return sql
    .rows(`SELECT * FROM execution ${filter} ORDER BY key DESC LIMIT ?`, ...values, query.limit)
    .map(toExecution);
}

export function oldestOpen({ sql }: Scope, version: VersionName, limit: number): readonly Execution[] {
  return sql
    .rows(
      "SELECT * FROM execution WHERE version = ? AND state = 'Running' ORDER BY key LIMIT ?",
      version,
      limit,
    )
    .map(toExecution);
}

/** An ended execution that somebody has asked to run again is not removed before that is done. */
export function prune(
  { sql }: Scope,
  { before, limit }: { readonly before: Instant; readonly limit: number },
): Awaited<ReturnType<WorkflowStore['prune']>> {
  sql.run('DELETE FROM delegate WHERE last_seen < ?', before);
  const ended = sql.rows(
    `SELECT key FROM execution WHERE ended_at < ? AND NOT EXISTS
      (SELECT 1 FROM event WHERE event.execution = execution.key AND dead_at IS NULL) ORDER BY ended_at LIMIT ?`,
    before,
    limit,
  );
  for (const { key = null } of ended) {
    for (const table of ['history', 'task_result', 'event'])
      sql.run(`DELETE FROM ${table} WHERE execution = ?`, key);
    sql.run('DELETE FROM execution WHERE key = ?', key);
  }
  return ended.length;
}
