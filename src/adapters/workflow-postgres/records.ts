/** What the rows of executions, events and tasks hold, and what the model makes of them. */
import { instant } from '../../model/instant.ts';
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
  Priority,
  Task,
  TaskId,
  WorkflowEvent,
} from '../../model/workflow.ts';
import { numberIn, optionalNumber, optionalText, type Row, textIn } from './columns.ts';

/** An execution as its row has it; JSON is text. */
export interface ExecutionRecord {
  readonly id: ExecutionId;
  readonly tenant: TenantName;
  readonly version: VersionName;
  readonly machine: string;
  readonly name: string;
  readonly priority: Priority;
  readonly state: ExecutionState;
  readonly data: string;
  readonly revision: number;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | undefined;
  readonly timeout: number | undefined;
  readonly deadline: number | undefined;
  readonly result: string | undefined;
  readonly error: string;
  readonly idempotencyKey: string | undefined;
  /** Lines that its history has. */
  readonly historyLines: number;
}

/** `queued`: due, and leased while `leaseUntil` lies ahead. `delayed`: not due before `dueAt`. */
export interface EventRecord {
  readonly id: EventId;
  readonly execution: ExecutionId;
  readonly tenant: TenantName;
  readonly version: VersionName;
  readonly kind: string;
  readonly payload: string;
  readonly priority: Priority;
  readonly state: 'queued' | 'delayed';
  readonly dueAt: number;
  readonly attempt: number;
  readonly token: number;
  readonly leaseUntil: number;
}

export interface TaskRecord {
  readonly id: TaskId;
  readonly execution: ExecutionId;
  readonly tenant: TenantName;
  readonly version: VersionName;
  readonly key: string;
  readonly kind: string;
  readonly payload: string;
  readonly tags: readonly string[];
  readonly priority: Priority;
  readonly timeout: number;
  readonly state: 'queued' | 'delayed' | 'leased';
  readonly dueAt: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly token: number;
  readonly leaseUntil: number;
  readonly delegate: DelegateId | undefined;
}

/** The columns of an execution, from the table that the statement calls `x`. */
export const EXECUTION_COLUMNS = `x.id AS execution_id, x.tenant AS execution_tenant, x.version AS execution_version, x.machine,
  x.name, x.priority AS execution_priority, x.state AS execution_state, x.data, x.revision, x.started_at, x.updated_at,
  x.ended_at, x.timeout AS execution_timeout, x.deadline, x.result, x.error, x.idempotency_key, x.history_lines`;

export function executionRecord(row: Row): ExecutionRecord {
  return {
    id: textIn(row, 'execution_id') as ExecutionId,
    tenant: textIn(row, 'execution_tenant') as TenantName,
    version: textIn(row, 'execution_version') as VersionName,
    machine: textIn(row, 'machine'),
    name: textIn(row, 'name'),
    priority: numberIn(row, 'execution_priority'),
    state: textIn(row, 'execution_state') as ExecutionState,
    data: textIn(row, 'data'),
    revision: numberIn(row, 'revision'),
    startedAt: numberIn(row, 'started_at'),
    updatedAt: numberIn(row, 'updated_at'),
    endedAt: optionalNumber(row, 'ended_at'),
    timeout: optionalNumber(row, 'execution_timeout'),
    deadline: optionalNumber(row, 'deadline'),
    result: optionalText(row, 'result'),
    error: textIn(row, 'error'),
    idempotencyKey: optionalText(row, 'idempotency_key'),
    historyLines: numberIn(row, 'history_lines'),
  };
}

export function executionOf(record: ExecutionRecord): Execution {
  const { id, tenant, version, machine, name, priority, state, revision, endedAt, deadline, result } = record;
  return {
    id,
    tenant,
    version,
    machine,
    name,
    priority,
    state,
    data: JSON.parse(record.data) as Json,
    revision,
    startedAt: instant(record.startedAt),
    updatedAt: instant(record.updatedAt),
    ...(endedAt === undefined ? {} : { endedAt: instant(endedAt) }),
    ...(deadline === undefined ? {} : { deadline: instant(deadline) }),
    ...(result === undefined ? {} : { result: JSON.parse(result) as Json }),
    error: record.error,
  };
}

/** The columns of an event, from the table that the statement calls `e`. */
export const EVENT_COLUMNS = `e.id, e.execution, e.tenant, e.version, e.kind, e.payload, e.priority, e.state, e.due_at, e.attempt,
  e.token, e.lease_until`;

export function eventRecord(row: Row): EventRecord {
  return {
    id: textIn(row, 'id') as EventId,
    execution: textIn(row, 'execution') as ExecutionId,
    tenant: textIn(row, 'tenant') as TenantName,
    version: textIn(row, 'version') as VersionName,
    kind: textIn(row, 'kind'),
    payload: textIn(row, 'payload'),
    priority: numberIn(row, 'priority'),
    state: textIn(row, 'state') as EventRecord['state'],
    dueAt: numberIn(row, 'due_at'),
    attempt: numberIn(row, 'attempt'),
    token: numberIn(row, 'token'),
    leaseUntil: numberIn(row, 'lease_until'),
  };
}

export function eventOf(record: EventRecord): WorkflowEvent {
  const { id, execution, tenant, version, kind, priority, attempt } = record;
  const payload = JSON.parse(record.payload) as Json;
  return { id, execution, tenant, version, kind, payload, priority, dueAt: instant(record.dueAt), attempt };
}

/** The columns of a task, from the table that the statement calls `t`. */
export const TASK_COLUMNS = `t.id, t.execution, t.tenant, t.version, t.key, t.kind, t.payload, t.tags, t.priority, t.timeout, t.state,
  t.due_at, t.attempt, t.max_attempts, t.token, t.lease_until, t.delegate`;

export function taskRecord(row: Row): TaskRecord {
  return {
    id: textIn(row, 'id') as TaskId,
    execution: textIn(row, 'execution') as ExecutionId,
    tenant: textIn(row, 'tenant') as TenantName,
    version: textIn(row, 'version') as VersionName,
    key: textIn(row, 'key'),
    kind: textIn(row, 'kind'),
    payload: textIn(row, 'payload'),
    tags: row['tags'] as readonly string[],
    priority: numberIn(row, 'priority'),
    timeout: numberIn(row, 'timeout'),
    state: textIn(row, 'state') as TaskRecord['state'],
    dueAt: numberIn(row, 'due_at'),
    attempt: numberIn(row, 'attempt'),
    maxAttempts: numberIn(row, 'max_attempts'),
    token: numberIn(row, 'token'),
    leaseUntil: numberIn(row, 'lease_until'),
    delegate: optionalText(row, 'delegate') as DelegateId | undefined,
  };
}

export function taskOf(record: TaskRecord): Task {
  const { id, execution, tenant, version, key, kind, tags, priority, timeout, attempt, maxAttempts } = record;
  const payload = JSON.parse(record.payload) as Json;
  return {
    id,
    execution,
    tenant,
    version,
    key,
    kind,
    payload,
    tags,
    priority,
    timeout,
    attempt,
    maxAttempts,
  };
}

export function historyEntryOf(row: Row): HistoryEntry {
  const delegate = optionalText(row, 'delegate');
  const event = optionalText(row, 'event');
  const task = optionalText(row, 'task');
  const token = optionalNumber(row, 'token');
  const delegateVersion = optionalText(row, 'delegate_version') as VersionName | undefined;
  return {
    execution: textIn(row, 'execution') as ExecutionId,
    sequence: numberIn(row, 'sequence'),
    at: instant(numberIn(row, 'at')),
    kind: textIn(row, 'kind') as HistoryKind,
    revision: numberIn(row, 'revision'),
    version: textIn(row, 'version') as VersionName,
    worker: {
      manager: textIn(row, 'manager') as ManagerId,
      version: textIn(row, 'manager_version') as VersionName,
    },
    ...(delegate === undefined || delegateVersion === undefined
      ? {}
      : { delegate: { delegate: delegate as DelegateId, version: delegateVersion } }),
    ...(event === undefined ? {} : { event: event as EventId }),
    ...(task === undefined ? {} : { task: task as TaskId }),
    ...(token === undefined ? {} : { token }),
    step: textIn(row, 'step'),
    detail: textIn(row, 'detail'),
  };
}
