/** Events and tasks as they come to be, each with the tenant, version and priority of its execution. */
import { randomUUID } from 'node:crypto';
import { after, type Instant } from '../../model/instant.ts';
import type { NewTask } from '../../model/step.ts';
import type { TaskId } from '../../model/workflow.ts';
import { encoded } from './json.ts';
import type { Scope } from './scope.ts';
import type { Row } from './sql.ts';

/** What an event or task takes from its execution. */
export interface Owner {
  /** The key of the execution's row. */
  readonly key: number;
  readonly tenant: string;
  readonly version: string;
  readonly priority: number;
}

/** The owner that a row of `execution` is (`key`), or that of a row of `event` or `task` (`execution`). */
export function ownerOf(row: Row, key: 'key' | 'execution'): Owner {
  return {
    key: Number(row[key]),
    tenant: String(row['tenant']),
    version: String(row['version']),
    priority: Number(row['priority']),
  };
}

/** Appends an event, whose payload is JSON text, and answers the key of its row. */
export function appendEvent(
  { sql, now, madeDue }: Scope,
  owner: Owner,
  event: { readonly kind: string; readonly payload: string; readonly dueAt: Instant },
): number {
  const isDue = event.dueAt <= now;
  if (isDue) madeDue();
  return sql.insert(
    `INSERT INTO event (execution, tenant, version, kind, priority, due_at, ready, wake_at, payload)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    owner.key,
    owner.tenant,
    owner.version,
    event.kind,
    owner.priority,
    event.dueAt,
    isDue ? 1 : 0,
    isDue ? null : event.dueAt,
    event.payload,
  );
}

/** Creates a task and answers its id. */
export function createTask({ sql, now, madeDue }: Scope, owner: Owner, task: NewTask): TaskId {
  const id = randomUUID() as string as TaskId;
  const dueAt = after(now, task.delay ?? 0);
  const isDue = dueAt <= now;
  if (isDue) madeDue();
  sql.run(
    `INSERT INTO task (id, execution, tenant, version, name, kind, tags, priority, timeout, max_attempts, ready, wake_at, payload)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    owner.key,
    owner.tenant,
    owner.version,
    task.key,
    task.kind,
    JSON.stringify(task.tags),
    owner.priority,
    task.timeout,
    task.maxAttempts,
    isDue ? 1 : 0,
    isDue ? null : dueAt,
    encoded(`the payload of task "${task.key}"`, task.payload),
  );
  return id;
}
