/** How a step that a machine decided is applied to its execution. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../model/json.ts';
import type { NewEvent, NewTask, Step } from '../../model/step.ts';
import type { Worker } from '../../model/workflow.ts';
import type { ApplyOutcome, EventLease } from '../../ports/workflow-store.ts';
import type { Change } from './changes.ts';
import { isId, jsonText, plain } from './columns.ts';
import { type EventRecord, type ExecutionRecord, executionOf } from './records.ts';
import type { Workspace } from './workspace.ts';

interface Application {
  readonly lease: EventLease;
  readonly revision: number;
  readonly step: Step;
  readonly worker: Worker;
}

/** A step whose JSON is text. */
interface Texts {
  readonly data: string;
  readonly result: string | undefined;
  readonly events: readonly (NewEvent & { readonly text: string })[];
  readonly tasks: readonly (NewTask & { readonly text: string })[];
}

/** Throws PayloadTooLargeError; the decision throws RangeError where the key of a task is taken. */
export function stepping(application: Application): Change<ApplyOutcome> {
  const { lease, step } = application;
  const texts = textsOf(step);
  const { event } = lease;
  const events = isId(event) ? [event] : [];
  const touchesTasks = step.end !== undefined || step.tasks.length > 0 || step.cancelTasks.length > 0;
  return {
    needs: {
      events,
      ...(touchesTasks ? { tasksBeside: events } : {}),
      ...(step.cancelEvents.length > 0 ? { eventsBeside: events } : {}),
      newEvents: step.events.length + 1,
      newTasks: step.tasks.length,
    },
    weight: weightOf(texts),
    decide(workspace) {
      const held = workspace.held(event, lease.token);
      if (held === undefined) return { kind: 'LeaseLost' };
      if (held.execution.revision !== application.revision)
        return { kind: 'Conflict', execution: executionOf(held.execution) };
      checkKeys(workspace, held.execution, step);
      apply({ workspace, ...held, application, texts });
      return { kind: 'Applied' };
    },
  };
}

function textsOf(step: Step): Texts {
  const { data, end } = step;
  return {
    data: jsonText('the state of the execution', data),
    result: end?.result === undefined ? undefined : jsonText('the result of the execution', end.result),
    events: step.events.map((event) => ({
      ...event,
      text: jsonText(`the payload of the event ${event.kind}`, event.payload),
    })),
    tasks: step.tasks.map((task) => ({
      ...task,
      text: jsonText(`the payload of the task ${task.key}`, task.payload),
    })),
  };
}

function weightOf({ data, result, events, tasks }: Texts): number {
  return [data, result ?? '', ...events.map(({ text }) => text), ...tasks.map(({ text }) => text)].reduce(
    (sum, { length }) => sum + length + 200,
    0,
  );
}

function checkKeys(workspace: Workspace, execution: ExecutionRecord, step: Step): void {
  const cancelled = new Set(step.cancelTasks.map(plain));
  const open = new Set(
    workspace
      .tasksOf(execution.id)
      .map(({ key }) => key)
      .filter((key) => !cancelled.has(key)),
  );
  if (step.end !== undefined) return;
  for (const { key } of step.tasks) {
    if (open.has(plain(key)))
      throw new RangeError(
        `execution ${execution.id} has an open task with the key ${JSON.stringify(key)} already; keys of open tasks must differ`,
      );
    open.add(plain(key));
  }
}

interface Applying {
  readonly workspace: Workspace;
  readonly execution: ExecutionRecord;
  readonly event: EventRecord;
  readonly application: Application;
  readonly texts: Texts;
}

function apply({ workspace, execution, event, application, texts }: Applying): void {
  const { step, worker, lease } = application;
  const stepped = after(workspace, { execution, event, step, texts });
  workspace.events.remove(event.id);
  workspace.executions.put(stepped);
  const about = { worker, event: event.id, token: lease.token };
  workspace.tell(execution.id, { ...about, kind: 'Stepped', step: event.kind, detail: '' });
  cancelEvents(workspace, stepped, step);
  cancelTasks({ workspace, execution: stepped, step, worker });
  for (const { step: part, detail } of step.notes)
    workspace.tell(execution.id, { worker, kind: 'Noted', step: part, detail });
  if (step.end !== undefined) {
    const { state, error } = step.end;
    workspace.end(stepped);
    workspace.tell(execution.id, {
      worker,
      kind: 'Ended',
      step: state,
      detail: error,
    });
    return;
  }
  append({ workspace, execution: stepped, texts, worker });
}

/** The execution after the step, with what its end or its retry changes. */
function after(
  workspace: Workspace,
  {
    execution,
    event,
    step,
    texts,
  }: Pick<Applying, 'execution' | 'event' | 'texts'> & { readonly step: Step },
): ExecutionRecord {
  const updatedAt = Math.max(workspace.now, execution.updatedAt);
  const stepped = { ...execution, data: texts.data, revision: execution.revision + 1, updatedAt };
  if (step.end !== undefined) {
    const { state, error } = step.end;
    return { ...stepped, state, endedAt: updatedAt, result: texts.result, error: plain(error) };
  }
  if (execution.state !== 'Failed' || event.kind !== 'Retry') return stepped;
  const { timeout } = execution;
  const deadline = timeout === undefined ? undefined : updatedAt + timeout;
  const running: ExecutionRecord = {
    ...stepped,
    state: 'Running',
    endedAt: undefined,
    result: undefined,
    error: '',
    deadline,
  };
  workspace.opened.push(running);
  if (deadline !== undefined)
    workspace.addEvent({ execution: running, kind: 'Timeout', payload: 'null', dueAt: deadline });
  return running;
}

function cancelEvents(workspace: Workspace, execution: ExecutionRecord, step: Step): void {
  for (const { kind, payload } of step.cancelEvents) {
    for (const event of workspace.eventsOf(execution.id)) {
      if (event.kind === plain(kind) && isDeepStrictEqual(JSON.parse(event.payload) as Json, payload))
        workspace.events.remove(event.id);
    }
  }
}

function cancelTasks({
  workspace,
  execution,
  step,
  worker,
}: Pick<Applying, 'workspace' | 'execution'> & Pick<Application, 'step' | 'worker'>): void {
  const keys = new Set(step.cancelTasks.map(plain));
  for (const task of workspace.tasksOf(execution.id)) {
    if (step.end === undefined && !keys.has(task.key)) continue;
    workspace.tasks.remove(task.id);
    workspace.tell(execution.id, {
      worker,
      kind: 'TaskCancelled',
      task: task.id,
      step: task.key,
      detail: '',
    });
  }
}

function append({
  workspace,
  execution,
  texts,
  worker,
}: Pick<Applying, 'workspace' | 'execution' | 'texts'> & Pick<Application, 'worker'>): void {
  const { now } = workspace;
  for (const { kind, text, delay = 0 } of texts.events)
    workspace.addEvent({ execution, kind, payload: text, dueAt: now + delay });
  for (const task of texts.tasks) {
    const { delay = 0, timeout, maxAttempts } = task;
    const added = workspace.addTask({
      execution: execution.id,
      tenant: execution.tenant,
      version: execution.version,
      key: plain(task.key),
      kind: plain(task.kind),
      payload: task.text,
      tags: task.tags.map(plain),
      priority: execution.priority,
      timeout,
      state: delay > 0 ? 'delayed' : 'queued',
      dueAt: now + delay,
      attempt: 0,
      maxAttempts,
      token: 0,
      leaseUntil: 0,
      delegate: undefined,
    });
    workspace.tell(execution.id, {
      worker,
      kind: 'TaskCreated',
      task: added.id,
      step: added.key,
      detail: '',
    });
  }
}
