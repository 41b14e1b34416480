/**
 * What one transaction has locked and read, and what is decided on it. Decisions change only this; `writes` makes the
 * statements of it in the end. Several decisions in a row see each other's changes, as if each were a transaction.
 */
import { type Instant, instant } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { EventId, ExecutionId, HistoryEntry, TaskId } from '../../model/workflow.ts';
import type { DelegateLease } from '../../ports/workflow-store.ts';
import { numberIn, plain, textIn } from './columns.ts';
import type { Read } from './needs.ts';
import {
  type EventRecord,
  type ExecutionRecord,
  eventRecord,
  executionRecord,
  type TaskRecord,
  taskRecord,
} from './records.ts';
import { Tracked } from './tracked.ts';

/** An event that was given up. */
export interface LetterRecord extends Omit<EventRecord, 'state' | 'leaseUntil'> {
  readonly at: number;
  readonly error: string;
}

export type HistoryLine = Omit<HistoryEntry, 'at' | 'version' | 'execution' | 'sequence' | 'revision'>;

export interface NewEventRecord {
  readonly execution: ExecutionRecord;
  readonly kind: string;
  readonly payload: string;
  readonly dueAt: number;
}

export class Workspace {
  readonly now: Instant;
  readonly executions: Tracked<ExecutionId, ExecutionRecord>;
  readonly events: Tracked<EventId, EventRecord>;
  readonly tasks: Tracked<TaskId, TaskRecord>;
  readonly letters: Tracked<EventId, LetterRecord>;
  readonly history: HistoryEntry[] = [];
  readonly newlyFinished: { readonly task: TaskId; readonly token: number }[] = [];
  /** Executions that have ended, with all that belonged to them. */
  readonly ended: ExecutionRecord[] = [];
  /** Executions that run again. */
  readonly opened: ExecutionRecord[] = [];
  /** True when something has become due. */
  isAnythingDue = false;
  readonly #fences: ReadonlyMap<string, Instant>;
  readonly #finished: Set<string>;
  readonly #ids: { readonly events: string[]; readonly tasks: string[] };

  constructor(read: Read) {
    this.now = instant(read.now);
    this.executions = new Tracked(read.executions.map(executionRecord));
    this.events = new Tracked(read.events.map(eventRecord));
    this.tasks = new Tracked(read.tasks.map(taskRecord));
    this.letters = new Tracked(
      read.letters.map((row) => ({
        ...eventRecord({ ...row, state: 'queued', lease_until: 0 }),
        at: numberIn(row, 'at'),
        error: textIn(row, 'error'),
      })),
    );
    this.#fences = new Map(
      read.fences.map((row) => [textIn(row, 'version'), instant(numberIn(row, 'since'))]),
    );
    this.#finished = new Set(read.finished.map((row) => `${textIn(row, 'task')}/${textIn(row, 'token')}`));
    this.#ids = {
      events: [...read.eventIds],
      tasks: [...read.taskIds],
    };
  }

  fencedSince(version: VersionName): Instant | undefined {
    return this.#fences.get(version);
  }

  /** The event, where the lease of this token is still the newest, with its execution. */
  held(id: EventId, token: number): { event: EventRecord; execution: ExecutionRecord } | undefined {
    const event = this.events.get(id);
    const execution = event && this.executions.get(event.execution);
    return event?.token === token && event.attempt > 0 && execution !== undefined
      ? { event, execution }
      : undefined;
  }

  /** The task, where the lease is still the newest and its delegate may have such tasks, with its execution. */
  heldTask(lease: DelegateLease): { task: TaskRecord; execution: ExecutionRecord } | undefined {
    const task = this.tasks.get(lease.task);
    const execution = task && this.executions.get(task.execution);
    if (task?.token !== lease.token || task.attempt === 0 || execution === undefined) return undefined;
    const mayHaveIt = task.tenant === lease.tenant && lease.versions.includes(task.version);
    return mayHaveIt ? { task, execution } : undefined;
  }

  wasFinished(task: TaskId, token: number): boolean {
    return this.#finished.has(`${task}/${token}`);
  }

  finished(task: TaskId, token: number): void {
    this.#finished.add(`${task}/${token}`);
    this.newlyFinished.push({ task, token });
  }

  addEvent({ execution, kind, payload, dueAt }: NewEventRecord): EventRecord {
    const { tenant, version, priority } = execution;
    const state = dueAt <= this.now ? 'queued' : 'delayed';
    const record: EventRecord = {
      id: next(this.#ids.events) as EventId,
      execution: execution.id,
      tenant,
      version,
      kind: plain(kind),
      payload,
      priority,
      state,
      dueAt,
      attempt: 0,
      token: 0,
      leaseUntil: 0,
    };
    this.saveEvent(record);
    return record;
  }

  saveEvent(record: EventRecord): void {
    this.events.put(record);
    if (record.state === 'queued') this.isAnythingDue = true;
  }

  addTask(wanted: Omit<TaskRecord, 'id'>): TaskRecord {
    const record = { ...wanted, id: next(this.#ids.tasks) as TaskId };
    this.saveTask(record);
    return record;
  }

  saveTask(record: TaskRecord): void {
    this.tasks.put(record);
    if (record.state === 'queued') this.isAnythingDue = true;
  }

  tasksOf(execution: ExecutionId): readonly TaskRecord[] {
    return this.tasks.all().filter((task) => task.execution === execution);
  }

  eventsOf(execution: ExecutionId): readonly EventRecord[] {
    return this.events.all().filter((event) => event.execution === execution);
  }

  /** Writes a line of history, about the execution as it is now. */
  tell(execution: ExecutionId, line: HistoryLine): void {
    const record = this.executions.get(execution);
    if (record === undefined) throw new RangeError(`execution ${execution} was not read`);
    const sequence = record.historyLines + 1;
    this.executions.put({ ...record, historyLines: sequence });
    this.history.push({
      ...line,
      step: plain(line.step),
      detail: plain(line.detail),
      execution,
      sequence,
      at: this.now,
      revision: record.revision,
      version: record.version,
    });
  }

  /** Forgets all that belonged to an execution; what was not read is removed by its execution. */
  end(execution: ExecutionRecord): void {
    this.ended.push(execution);
    for (const { id } of this.eventsOf(execution.id)) this.events.remove(id);
    for (const { id } of this.tasksOf(execution.id)) this.tasks.remove(id);
    for (const letter of this.letters.all())
      if (letter.execution === execution.id) this.letters.remove(letter.id);
  }
}

function next(ids: string[]): string {
  const id = ids.shift();
  if (id === undefined) throw new RangeError('a decision used more ids than it said it would');
  return id;
}
