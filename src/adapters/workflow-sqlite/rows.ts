/** Rows of a workflow file as the model's words. Names were checked when they were written. */
import type { SQLOutputValue } from 'node:sqlite';
import type { Instant } from '../../model/instant.ts';
import type { Json } from '../../model/json.ts';
import type { TenantName, VersionName } from '../../model/names.ts';
import type {
  DelegateId,
  EventId,
  Execution,
  ExecutionId,
  ExecutionState,
  HistoryEntry,
  HistoryKind,
  ManagerId,
  Task,
  TaskId,
  WorkflowEvent,
} from '../../model/workflow.ts';
import type { Row } from './sql.ts';

export function toExecution(row: Row): Execution {
  return {
    id: row['id'] as ExecutionId,
    tenant: row['tenant'] as TenantName,
    version: row['version'] as VersionName,
    machine: String(row['machine']),
    name: String(row['name']),
    priority: Number(row['priority']),
    state: row['state'] as ExecutionState,
    data: json(row['data']),
    revision: Number(row['revision']),
    startedAt: row['started_at'] as Instant,
    updatedAt: row['updated_at'] as Instant,
    ...(row['ended_at'] !== null && { endedAt: row['ended_at'] as Instant }),
    ...(row['deadline'] !== null && { deadline: row['deadline'] as Instant }),
    ...(row['result'] !== null && { result: json(row['result']) }),
    error: String(row['error']),
  };
}

/** A row of `event`, and the id of its execution. */
export function toEvent(row: Row, execution: ExecutionId): WorkflowEvent {
  return {
    id: toEventId(row['key']),
    execution,
    tenant: row['tenant'] as TenantName,
    version: row['version'] as VersionName,
    kind: String(row['kind']),
    payload: json(row['payload']),
    priority: Number(row['priority']),
    dueAt: row['due_at'] as Instant,
    attempt: Number(row['attempt']),
  };
}

/** A row of `task`, and the id of its execution. */
export function toTask(row: Row, execution: ExecutionId): Task {
  return {
    id: row['id'] as TaskId,
    execution,
    tenant: row['tenant'] as TenantName,
    version: row['version'] as VersionName,
    key: String(row['name']),
    kind: String(row['kind']),
    payload: json(row['payload']),
    tags: toTags(row['tags']),
    priority: Number(row['priority']),
    timeout: Number(row['timeout']),
    attempt: Number(row['attempt']),
    maxAttempts: Number(row['max_attempts']),
  };
}

/** A row of `history`, and whose it is. */
export function toHistoryEntry(row: Row, execution: Pick<Execution, 'id' | 'version'>): HistoryEntry {
  return {
    execution: execution.id,
    sequence: Number(row['sequence']),
    at: row['at'] as Instant,
    kind: row['kind'] as HistoryKind,
    revision: Number(row['revision']),
    version: execution.version,
    worker: { manager: row['manager'] as ManagerId, version: row['manager_version'] as VersionName },
    ...(row['delegate'] !== null && {
      delegate: { delegate: row['delegate'] as DelegateId, version: row['delegate_version'] as VersionName },
    }),
    ...(row['event'] !== null && { event: toEventId(row['event']) }),
    ...(row['task'] !== null && { task: row['task'] as TaskId }),
    ...(row['token'] !== null && { token: Number(row['token']) }),
    step: String(row['step']),
    detail: String(row['detail']),
  };
}

export function toTags(value: SQLOutputValue | undefined): readonly string[] {
  return JSON.parse(String(value)) as readonly string[];
}

/** The key of an event's row; undefined where no row can have that id. */
export function eventKey(id: EventId): number | undefined {
  return /^[0-9]{1,15}$/.test(id) ? Number(id) : undefined;
}

function toEventId(key: SQLOutputValue | undefined): EventId {
  return String(key) as EventId;
}

function json(value: SQLOutputValue | undefined): Json {
  return JSON.parse(String(value)) as Json;
}
