/**
 * Where executions live, for all managers of all versions together. What one call does is one transaction: it is done as
 * a whole and survives kill -9 once it has resolved, or nothing of it is. Versions are data here: a call names those
 * that its caller works on, and sees nothing of others (rule 13). test/contract/workflow-store.ts is the contract.
 */
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { Json } from '../model/json.ts';
import type { TenantName, VersionName } from '../model/names.ts';
import type { Step } from '../model/step.ts';
import type {
  DelegateId,
  DelegateRegistration,
  DelegateWorker,
  EventId,
  Execution,
  ExecutionId,
  ExecutionState,
  HistoryEntry,
  Lease,
  ManagerId,
  Priority,
  Task,
  TaskId,
  TaskOutcome,
  VersionWork,
  Worker,
  WorkflowEvent,
} from '../model/workflow.ts';

/** The largest input, state, payload or result, in bytes of its JSON text; a larger one is a PayloadTooLargeError. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** Claims of one event after which it is dead-lettered: whoever took it died or failed each time. */
export const MAX_EVENT_ATTEMPTS = 10;

/** A value was larger than MAX_PAYLOAD_BYTES; nothing was written. */
export class PayloadTooLargeError extends Error {
  override readonly name = 'PayloadTooLargeError';
  readonly what: string;
  readonly bytes: number;
  constructor(what: string, bytes: number) {
    super(
      `${what} has ${bytes} bytes as JSON, at most ${MAX_PAYLOAD_BYTES} are allowed; keep large data elsewhere and pass its address`,
    );
    this.what = what;
    this.bytes = bytes;
  }
}

/** An execution to begin. */
export interface NewExecution {
  readonly tenant: TenantName;
  readonly version: VersionName;
  readonly machine: string;
  readonly name: string;
  readonly priority: Priority;
  /** Two starts of one tenant with the same key are one execution, whichever version each came to. */
  readonly idempotencyKey?: string;
  readonly data: Json;
  /** The payload of its first event, `Start`. */
  readonly input: Json;
  /** From its start to the event `Timeout`, whose payload is null; from each `Retry` that makes it run again, anew. */
  readonly timeout?: Milliseconds;
}

export type StartOutcome =
  | { readonly kind: 'Started'; readonly execution: Execution }
  /** The idempotency key was used before: this is told also where the version is fenced by now. */
  | { readonly kind: 'Existing'; readonly execution: Execution }
  /** The version takes no new executions: the caller may try again elsewhere. */
  | { readonly kind: 'Fenced'; readonly since: Instant };

/** An event to work on, with its execution as it is now. */
export interface ClaimedEvent {
  readonly event: WorkflowEvent;
  readonly lease: Lease;
  readonly execution: Execution;
}

/** Whose lease a call is about. */
export interface EventLease {
  readonly event: EventId;
  readonly token: number;
}

export interface TaskLease {
  readonly task: TaskId;
  readonly token: number;
}

/** A lease that a delegate names, and whose tasks it may have: one of another tenant or version is as an unknown one (rule 13). */
export interface DelegateLease extends TaskLease {
  readonly tenant: TenantName;
  /** Its own version, and those that it continues. */
  readonly versions: readonly VersionName[];
}

/** Leases to prolong: each ends `lease` after now. */
export interface Renewal<Named> {
  readonly leases: readonly Named[];
  readonly lease: Milliseconds;
}

export type ApplyOutcome =
  | { readonly kind: 'Applied' }
  /** Another event of the execution was applied since it was read: decide again on this. The lease is still held. */
  | { readonly kind: 'Conflict'; readonly execution: Execution }
  /** Somebody else has the event now, or it is gone. Nothing was written. */
  | { readonly kind: 'LeaseLost' };

/** Free places on one delegate that has a stream to the caller. */
export interface DelegateSlots {
  readonly worker: DelegateWorker;
  readonly tenant: TenantName;
  /** Versions whose tasks it may take: its own, and those that it continues. */
  readonly versions: readonly VersionName[];
  readonly tags: readonly string[];
  /** Tasks that it can take now. */
  readonly free: number;
}

export interface ClaimedTask {
  readonly task: Task;
  readonly lease: Lease;
  readonly delegate: DelegateId;
}

export type FinishOutcome =
  /** Its execution has the event `TaskFinished`. */
  | 'Finished'
  /** It had failed and is queued again. */
  | 'Retried'
  /** This very result was taken before: the delegate may forget it. */
  | 'Duplicate'
  /** Somebody else has the task now, or it was cancelled: the delegate may forget the result, which counts for nothing. */
  | 'Superseded';

/** What an operator or a customer asks of an execution. It is appended as an event of that kind, carrying the execution's version. */
export interface Command {
  readonly execution: ExecutionId;
  readonly kind: 'Cancel' | 'Approve' | 'Retry';
  readonly payload: Json;
  /** Who asks. */
  readonly by: string;
  /** The manager that took the request; any version may. */
  readonly worker: Worker;
}

/**
 * `Retry` is for executions that Failed; the others are for those that run. A `Retry` on a fenced version is `Refused`: work
 * that was counted to zero stays at zero.
 */
export type CommandOutcome = 'Appended' | 'NotFound' | 'Refused';

/** Which executions to read, newest first. */
export interface ExecutionQuery {
  readonly tenant?: TenantName;
  readonly version?: VersionName;
  readonly state?: ExecutionState;
  /** Older than this one. */
  readonly before?: ExecutionId;
  readonly limit: number;
}

/** An event that was given up. */
export interface DeadLetter {
  readonly event: WorkflowEvent;
  readonly at: Instant;
  /** Why the last attempt failed. */
  readonly error: string;
}

export interface WorkflowStore {
  /** The time by which leases and delays are counted: that of the store, the same for all its users. */
  now(): Promise<Instant>;

  /** Begins an execution on a version that is not fenced, at revision 0, with its first event. Throws PayloadTooLargeError. */
  start(request: NewExecution & { readonly worker: Worker }): Promise<StartOutcome>;

  /**
   * Leases due events of these versions: fair between tenants (a tenant with 10,000 waiting does not keep another one's
   * first waiting), within a tenant by priority, then by age. An event whose lease has run out is due again, with a
   * higher token; one that was claimed MAX_EVENT_ATTEMPTS times is dead-lettered instead. Two events of one execution may
   * be leased at a time; `apply` keeps them apart.
   */
  claimEvents(request: {
    readonly worker: Worker;
    readonly versions: readonly VersionName[];
    readonly limit: number;
    readonly lease: Milliseconds;
  }): Promise<readonly ClaimedEvent[]>;
  /**
   * The execution's new state, what the step appends, its history and the acknowledgement of the event, in one
   * transaction. `revision` is that of the execution that was decided on. With its end, an execution loses all other events,
   * dead letters and open tasks; what the last step itself appends is not begun. A step without an end on the event `Retry`
   * makes a Failed execution run again. `cancelEvents` takes back what is delayed, queued or leased, and compares payloads
   * as JSON, whatever the order of their names. Throws PayloadTooLargeError, and RangeError where the key of a task is that
   * of another open task; nothing was written then, and the lease is still held.
   */
  apply(request: {
    readonly lease: EventLease;
    readonly revision: number;
    readonly step: Step;
    readonly worker: Worker;
  }): Promise<ApplyOutcome>;
  /** Gives an event back: due again after `delay`, or dead-lettered after MAX_EVENT_ATTEMPTS. False: the lease was lost. */
  giveBack(request: {
    readonly lease: EventLease;
    readonly delay: Milliseconds;
    readonly error: string;
    readonly worker: Worker;
  }): Promise<boolean>;
  /** Prolongs leases of events. Answers those that were lost. */
  renewEvents(renewal: Renewal<EventLease>): Promise<readonly EventId[]>;

  /**
   * Leases due tasks for delegates: only those of a delegate's tenant, of one of its versions, and with no tag that it
   * lacks. By priority, then by age. A task whose lease has run out is due again with a higher token, and failed for good after
   * its attempts are used up.
   */
  claimTasks(request: {
    readonly worker: Worker;
    readonly slots: readonly DelegateSlots[];
    readonly lease: Milliseconds;
  }): Promise<readonly ClaimedTask[]>;
  /**
   * Prolongs leases of tasks, also after a delegate has come to another manager, as long as nobody else has the task.
   * Answers those that the delegate must stop working on: leased to somebody else, cancelled, or unknown.
   */
  renewTasks(renewal: Renewal<DelegateLease>): Promise<readonly DelegateLease[]>;
  /**
   * Takes a result: the task is gone and its execution has the event `TaskFinished`, with the payload `{key, outcome}`. Until
   * somebody else has the task, its lease counts, also after its time. A failure that may be tried again, with attempts left, is queued again after `backoff`. A result counts once: the store
   * remembers tokens of finished tasks for as long as their execution is kept.
   */
  finishTask(request: {
    readonly lease: DelegateLease;
    readonly outcome: TaskOutcome;
    readonly backoff: Milliseconds;
    readonly worker: Worker;
    readonly delegate: DelegateWorker;
  }): Promise<FinishOutcome>;
  /** A delegate did not begin it: due again at once, and the attempt does not count. False: the lease was lost. */
  returnTask(lease: DelegateLease): Promise<boolean>;

  command(command: Command): Promise<CommandOutcome>;

  /**
   * Declares that managers and delegates of `version` may continue work of `continues`, and of no other that those continue.
   * For ever; again is the same.
   */
  declareContinuation(declared: {
    readonly version: VersionName;
    readonly continues: readonly VersionName[];
  }): Promise<void>;
  /** The versions whose work `version` may touch: itself first. */
  compatibleVersions(version: VersionName): Promise<readonly VersionName[]>;

  execution(id: ExecutionId): Promise<Execution | undefined>;
  executions(query: ExecutionQuery): Promise<readonly Execution[]>;
  /** All lines, oldest first. */
  history(id: ExecutionId): Promise<readonly HistoryEntry[]>;
  /** Open tasks of an execution, each with its delegate where it is leased. */
  openTasks(id: ExecutionId): Promise<readonly { readonly task: Task; readonly delegate?: DelegateId }[]>;
  deadLetters(query: Pick<ExecutionQuery, 'version' | 'limit'>): Promise<readonly DeadLetter[]>;
  /**
   * Makes a dead letter an event again, with its attempts forgotten. False: there is none, or its execution has ended and
   * its version is fenced.
   */
  revive(event: EventId): Promise<boolean>;

  /** Fences the version and counts its open work in one transaction: no start can come between. Again: the same, counted anew. */
  fenceAndCount(version: VersionName): Promise<VersionWork>;
  /** The version takes new executions again. */
  lift(version: VersionName): Promise<void>;
  /** Since when the version takes no new executions; undefined: it takes them. Costs the same whatever waits. */
  fencedSince(version: VersionName): Promise<Instant | undefined>;
  /** Counts without fencing. What it costs grows with what is counted. */
  count(version: VersionName): Promise<VersionWork>;
  /** The oldest executions of a version that have not ended. */
  oldestOpen(version: VersionName, limit: number): Promise<readonly Execution[]>;

  /** Replaces what this manager said of its delegates. */
  saveDelegates(manager: ManagerId, delegates: readonly DelegateRegistration[]): Promise<void>;
  /** Delegates heard of since `since`; of those that came to several managers, the newest. */
  delegates(query: {
    readonly version?: VersionName;
    readonly since: Instant;
  }): Promise<readonly DelegateRegistration[]>;

  /**
   * Removes executions that ended before `before`, with their history and idempotency keys; at most `limit`. Answers how
   * many. Registrations of delegates last heard of before then go too.
   */
  prune(request: { readonly before: Instant; readonly limit: number }): Promise<number>;

  /** Calls back when something may have become due by another's doing. It may call for nothing, and delays call nobody. */
  subscribe(listener: () => void): () => void;
  close(): Promise<void>;
}
