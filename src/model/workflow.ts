/**
 * Executions, their events and their tasks. Each carries its tenant and its version for life (rule 13): only managers
 * and delegates of that version, or of one that was declared to continue it, touch them.
 */
import type { Instant, Milliseconds } from './instant.ts';
import type { Json } from './json.ts';
import { InvalidNameError, type TenantName, type VersionName } from './names.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Names one execution for ever. */
export type ExecutionId = Branded<'ExecutionId'>;
/** Names one event for ever. Ids of one store rise in the order in which events were appended. */
export type EventId = Branded<'EventId'>;
/** Names one task for ever. */
export type TaskId = Branded<'TaskId'>;
/** One process of a manager, unique for its life: an instance that starts again is another one. */
export type ManagerId = Branded<'ManagerId'>;
/** The box that a delegate runs on: delegates of several versions on one box share it. */
export type DelegateId = Branded<'DelegateId'>;

const DELEGATE_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;
/** What the id of a delegate's box must look like, in words for error messages. */
export const DELEGATE_ID_RULE = '1 to 128 of letters, digits, ".", "_" and "-"';

/** Whether `text` may be the id of a delegate's box. */
export function isDelegateId(text: string): text is DelegateId {
  return DELEGATE_ID_PATTERN.test(text);
}

/** Checks and brands the id of a delegate's box. Throws InvalidNameError. */
export function delegateId(text: string): DelegateId {
  if (isDelegateId(text)) return text;
  throw new InvalidNameError(`delegate id ${JSON.stringify(text)} must be ${DELEGATE_ID_RULE}`);
}

/** How an execution stands. The last three are ends. */
export const EXECUTION_STATES = ['Running', 'Succeeded', 'Failed', 'Cancelled'] as const;
export type ExecutionState = (typeof EXECUTION_STATES)[number];

/** The priority of work among that of the same tenant: higher goes first. 0 to 9. */
export type Priority = number;
export const DEFAULT_PRIORITY: Priority = 5;

/** One running (or ended) instance of a state machine. */
export interface Execution {
  readonly id: ExecutionId;
  readonly tenant: TenantName;
  /** The version that it began on, and ends on. */
  readonly version: VersionName;
  /** The state machine that runs it, for example `pipeline`. */
  readonly machine: string;
  /** What its owner calls it, for example the name of the pipeline. */
  readonly name: string;
  readonly priority: Priority;
  readonly state: ExecutionState;
  /** The machine's own state, after `revision` steps. Stores do not look into it. */
  readonly data: Json;
  /** Steps that were applied to it: rises by one with each. */
  readonly revision: number;
  readonly startedAt: Instant;
  readonly updatedAt: Instant;
  /** Absent while it runs. */
  readonly endedAt?: Instant;
  /** When it gets the event `Timeout`; absent: never. */
  readonly deadline?: Instant;
  /** What it came to; absent where it did not succeed, and while it runs. */
  readonly result?: Json;
  /** Why it failed or was cancelled: one sentence; empty where it was not. */
  readonly error: string;
}

/** A queued step of an execution. An event is applied once, whatever dies, or is dead-lettered. */
export interface WorkflowEvent {
  readonly id: EventId;
  readonly execution: ExecutionId;
  readonly tenant: TenantName;
  /** That of its execution. */
  readonly version: VersionName;
  /** What happened, for the machine: `Start`, `TaskFinished`, `Timer`, `Timeout`, `Cancel`, `Approve`, `Retry`, or its own. */
  readonly kind: string;
  readonly payload: Json;
  readonly priority: Priority;
  /** Not before this time. */
  readonly dueAt: Instant;
  /** How often it was claimed, this time included. */
  readonly attempt: number;
}

/** A piece of work for a delegate. */
export interface Task {
  readonly id: TaskId;
  readonly execution: ExecutionId;
  readonly tenant: TenantName;
  /** That of its execution. */
  readonly version: VersionName;
  /** What the machine calls it, unique among the open tasks of its execution. */
  readonly key: string;
  /** What is to be done, for the delegate: `shell`, `http`, or its own. */
  readonly kind: string;
  readonly payload: Json;
  /** Tags that a delegate must have, all of them. */
  readonly tags: readonly string[];
  readonly priority: Priority;
  /** How long a delegate may take for one attempt. */
  readonly timeout: Milliseconds;
  /** How often it was given to a delegate, this time included. */
  readonly attempt: number;
  readonly maxAttempts: number;
}

/** The right to work on an event or a task for a time. Whoever comes later has a higher token, and the older one is refused. */
export interface Lease {
  readonly token: number;
  readonly until: Instant;
}

/** How a task ended, as its delegate says. */
export type TaskOutcome =
  | { readonly kind: 'Succeeded'; readonly result: Json }
  /** `retryable`: another attempt may help. */
  | { readonly kind: 'Failed'; readonly error: string; readonly retryable: boolean };

/** Who applied a step. */
export interface Worker {
  readonly manager: ManagerId;
  /** The version of that manager, which is not always that of the work: it may continue it. */
  readonly version: VersionName;
}

/** Who worked on a task. */
export interface DelegateWorker {
  readonly delegate: DelegateId;
  readonly version: VersionName;
}

/**
 * One line of an execution's history, written in the transaction that did it. Lines are never changed.
 * - `Started`: the execution began. `Stepped`: the machine took the event. `Ended`: it came to an end in this step. Lines of
 *   one step follow each other, `Stepped` first and `Ended` last.
 * - `TaskCreated`, `TaskLeased`, `TaskFinished`, `TaskRetried`, `TaskCancelled`: what became of a task.
 * - `Commanded`: somebody appended a command. `DeadLettered`: an event was given up.
 * - `Noted`: the machine's own remark.
 */
export const HISTORY_KINDS = [
  'Started',
  'Stepped',
  'Ended',
  'TaskCreated',
  'TaskLeased',
  'TaskFinished',
  'TaskRetried',
  'TaskCancelled',
  'Commanded',
  'DeadLettered',
  'Noted',
] as const;
export type HistoryKind = (typeof HISTORY_KINDS)[number];

export interface HistoryEntry {
  readonly execution: ExecutionId;
  /** Rises by one within the execution, without gaps, from 1. */
  readonly sequence: number;
  readonly at: Instant;
  readonly kind: HistoryKind;
  /** The revision of the execution after it. */
  readonly revision: number;
  /** The version of the event or task that it is about. */
  readonly version: VersionName;
  /** The manager that wrote it, with its version. */
  readonly worker: Worker;
  /** The delegate that a task was given to or came from. */
  readonly delegate?: DelegateWorker;
  readonly event?: EventId;
  readonly task?: TaskId;
  /** The token under which it was done. */
  readonly token?: number;
  /** What the machine or the operator calls it: the key of a task, the kind of an event, a step of the pipeline. */
  readonly step: string;
  /** One sentence; may be empty. */
  readonly detail: string;
}

/** A delegate that has a stream to a manager of its version, as last heard. */
export interface DelegateRegistration {
  readonly delegate: DelegateId;
  readonly tenant: TenantName;
  readonly version: VersionName;
  readonly tags: readonly string[];
  /** Tasks that it takes at a time. */
  readonly capacity: number;
  readonly running: number;
  readonly manager: ManagerId;
  readonly since: Instant;
  /** When it was last heard of; later than that nobody knows. */
  readonly lastSeen: Instant;
}

/** The open work of a version, counted in one transaction. */
export interface VersionWork {
  readonly version: VersionName;
  readonly asOf: Instant;
  /** Since when it takes no new executions; absent: it does. */
  readonly fencedSince?: Instant;
  /** Executions that have not ended. */
  readonly executions: number;
  readonly events: { readonly queued: number; readonly leased: number; readonly delayed: number };
  readonly tasks: { readonly queued: number; readonly leased: number; readonly delayed: number };
  /** Events that were given up and wait for an operator; their executions are open. */
  readonly deadLetters: number;
}

/** What open work is made of. */
export type WorkSplit = Pick<VersionWork, 'executions' | 'events' | 'tasks' | 'deadLetters'>;

/** All of it: zero means that nothing is left of the version. */
export function openWork({ executions, events, tasks }: WorkSplit): number {
  return (
    executions + events.queued + events.leased + events.delayed + tasks.queued + tasks.leased + tasks.delayed
  );
}
