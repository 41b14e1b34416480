/** Tasks: their results, and what becomes of their leases. task-claim.ts says who is given one. */
import { after } from '../../model/instant.ts';
import type { Json } from '../../model/json.ts';
import type { DelegateId, ExecutionId, Task, TaskId, TaskOutcome, Worker } from '../../model/workflow.ts';
import type { DelegateLease, FinishOutcome, WorkflowStore } from '../../ports/workflow-store.ts';
import { appendEvent, ownerOf } from './appending.ts';
import { briefOf, executionRow } from './find.ts';
import { type NewLine, record } from './history.ts';
import { encoded } from './json.ts';
import { toTask } from './rows.ts';
import type { Scope } from './scope.ts';
import type { Row } from './sql.ts';

type Argument<Name extends keyof WorkflowStore> = Parameters<WorkflowStore[Name]>[0];

export function renewTasks(
  scope: Scope,
  { leases, lease }: Argument<'renewTasks'>,
): readonly DelegateLease[] {
  const until = after(scope.now, lease);
  return leases.filter((held) => {
    const key = leasedTask(scope, held, 'key, version')?.['key'];
    if (key === undefined) return true;
    scope.sql.run('UPDATE task SET ready = 0, wake_at = ? WHERE key = ?', until, key);
    return false;
  });
}

export function finishTask(
  scope: Scope,
  { lease, outcome, backoff, worker, delegate }: Argument<'finishTask'>,
): FinishOutcome {
  const { sql, now } = scope;
  encoded('the result of the task', outcome.kind === 'Succeeded' ? outcome.result : outcome.error);
  const task = leasedTask(scope, lease);
  if (task === undefined) {
    const taken = sql.row('SELECT 1 FROM task_result WHERE task = ? AND token = ?', lease.task, lease.token);
    return taken === undefined ? 'Superseded' : 'Duplicate';
  }
  const execution = Number(task['execution']);
  sql.run(
    'INSERT INTO task_result (task, token, execution) VALUES (?, ?, ?)',
    lease.task,
    lease.token,
    execution,
  );
  const isRetried =
    outcome.kind === 'Failed' && outcome.retryable && Number(task['attempt']) < Number(task['max_attempts']);
  const told = { delegate, token: lease.token, worker };
  if (!isRetried) {
    finish(scope, task, { ...told, outcome });
    return 'Finished';
  }
  release(scope, task, after(now, backoff));
  tell(scope, task, { ...told, kind: 'TaskRetried', detail: outcome.error });
  return 'Retried';
}

/** Its last lease ran out: nobody will say what became of it. */
export function failTask(scope: Scope, task: Row, worker: Worker): void {
  const error = `its lease ran out in attempt ${String(task['attempt'])} of ${String(task['max_attempts'])}: its delegate was lost`;
  finish(scope, task, {
    outcome: { kind: 'Failed', error, retryable: true },
    token: Number(task['token']),
    worker,
  });
}

export function returnTask(scope: Scope, lease: DelegateLease): boolean {
  const task = leasedTask(scope, lease);
  if (task === undefined) return false;
  release(scope, task, scope.now);
  scope.sql.run('UPDATE task SET attempt = attempt - 1 WHERE key = ?', task['key'] ?? null);
  return true;
}

/** Takes open tasks of an execution away, and answers the lines that say so. */
export function cancelTasks(
  { sql }: Scope,
  execution: number,
  keys: readonly string[] | 'all',
): readonly NewLine[] {
  const rows =
    keys === 'all'
      ? sql.rows('SELECT key, id, name FROM task WHERE execution = ? ORDER BY key', execution)
      : keys.flatMap((key) =>
          sql.rows('SELECT key, id, name FROM task WHERE execution = ? AND name = ?', execution, key),
        );
  return rows.map(({ key = null, id, name }): NewLine => {
    sql.run('DELETE FROM task WHERE key = ?', key);
    return { kind: 'TaskCancelled', task: id as TaskId, step: String(name) };
  });
}

export function openTasks(
  scope: Scope,
  id: ExecutionId,
): readonly { readonly task: Task; readonly delegate?: DelegateId }[] {
  const execution = executionRow(scope, id);
  if (execution === undefined) return [];
  return scope.sql
    .rows('SELECT * FROM task WHERE execution = ? ORDER BY key', execution['key'] ?? null)
    .map((row) => ({
      task: toTask(row, id),
      ...(row['leased'] === 1 && { delegate: row['delegate'] as DelegateId }),
    }));
}

/** The task, while nobody else has had it since: also after the time of the lease. */
function leasedTask(
  { sql }: Scope,
  { task, token, tenant, versions }: DelegateLease,
  columns: '*' | 'key, version' = '*',
): Row | undefined {
  const row = sql.row(
    `SELECT ${columns} FROM task WHERE id = ? AND token = ? AND leased = 1 AND tenant = ?`,
    task,
    token,
    tenant,
  );
  return versions.some((version) => version === row?.['version']) ? row : undefined;
}

/** Ends the lease; the task is due at `dueAt`. */
function release({ sql, now, madeDue }: Scope, task: Row, dueAt: number): void {
  const isDue = dueAt <= now;
  if (isDue) madeDue();
  sql.run(
    'UPDATE task SET leased = 0, delegate = NULL, ready = ?, wake_at = ? WHERE key = ?',
    isDue ? 1 : 0,
    isDue ? null : dueAt,
    task['key'] ?? null,
  );
}

interface Told {
  readonly token: number;
  readonly worker: Worker;
  readonly delegate?: NewLine['delegate'];
}

/** The task is gone, and its execution is told. */
function finish(scope: Scope, task: Row, told: Told & { readonly outcome: TaskOutcome }): void {
  const { outcome } = told;
  scope.sql.run('DELETE FROM task WHERE key = ?', task['key'] ?? null);
  // Its parts are within their limits, the key and the names of fields come on top.
  const payload: Json = { key: String(task['name']), outcome: { ...outcome } };
  appendEvent(scope, ownerOf(task, 'execution'), {
    kind: 'TaskFinished',
    payload: JSON.stringify(payload),
    dueAt: scope.now,
  });
  tell(scope, task, {
    ...told,
    kind: 'TaskFinished',
    detail: outcome.kind === 'Failed' ? outcome.error : '',
  });
}

function tell(scope: Scope, task: Row, { worker, ...line }: Told & Pick<NewLine, 'kind' | 'detail'>): void {
  const execution = Number(task['execution']);
  const { revision } = briefOf(scope, execution);
  const { kind, detail = '', token, delegate } = line;
  record(scope, { execution, revision, worker }, [
    {
      kind,
      detail,
      token,
      task: task['id'] as TaskId,
      step: String(task['name']),
      ...(delegate !== undefined && { delegate }),
    },
  ]);
}
