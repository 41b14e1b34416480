/**
 * The least that a store, managers and delegates do, in memory: events are applied one by one in any order, each task
 * ends once, what a step takes back is gone. It keeps its own account of tasks, which the rules compare with.
 */
import { instant, type Milliseconds } from '../../../src/model/instant.ts';
import type { Json } from '../../../src/model/json.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import type { NewTask, Step } from '../../../src/model/step.ts';
import type {
  EventId,
  Execution,
  ExecutionId,
  TaskOutcome,
  WorkflowEvent,
} from '../../../src/model/workflow.ts';
import { decide } from '../../../src/workflow/decide.ts';
import type { Pipeline } from '../../../src/workflow/pipeline/definition.ts';
import { pipelineMachine } from '../../../src/workflow/pipeline/machine.ts';
import { startPipeline } from '../../../src/workflow/pipeline/start.ts';

/** An event that waits, or was delivered. */
export interface Queued {
  readonly kind: string;
  readonly payload: Json;
  readonly dueAt: number;
}

/** One event as it was applied. */
export interface Applied {
  readonly event: WorkflowEvent;
  readonly now: number;
  readonly before: Execution;
  readonly step: Step;
}

const BEGIN = 1_000_000;

export class PipelineWorld {
  now = BEGIN;
  execution: Execution;
  readonly pipeline: Pipeline;
  readonly timeout: Milliseconds;
  queue: readonly Queued[];
  readonly open = new Map<string, NewTask>();
  /** Results that are queued. */
  readonly inFlight = new Set<string>();
  readonly log: Applied[] = [];
  /** What may come again, or too late: all that was delivered or taken back. */
  readonly past: Queued[] = [];
  readonly #first: Execution;
  #events = 0;

  constructor(pipeline: Pipeline, given: Json = {}) {
    const ready = startPipeline({ pipeline, input: given });
    if (ready.kind === 'Refused')
      throw new Error(`the pipeline is refused: ${JSON.stringify(ready.problems)}`);
    const { machine, name, data, input, timeout } = ready.start;
    this.pipeline = pipeline;
    this.timeout = timeout;
    this.#first = {
      id: 'x1' as ExecutionId,
      tenant: tenantName('acme'),
      version: versionName('v1'),
      priority: 5,
      state: 'Running',
      revision: 0,
      startedAt: instant(BEGIN),
      updatedAt: instant(BEGIN),
      error: '',
      machine,
      name,
      data,
    };
    this.execution = this.#first;
    this.queue = [
      { kind: 'Start', payload: input, dueAt: BEGIN },
      { kind: 'Timeout', payload: null, dueAt: BEGIN + timeout },
    ];
  }

  get isOver(): boolean {
    return this.execution.state !== 'Running';
  }

  due(): readonly Queued[] {
    return this.queue.filter(({ dueAt }) => dueAt <= this.now);
  }

  /** Applies a queued event. */
  deliver(queued: Queued): Applied {
    this.queue = this.queue.filter((other) => other !== queued);
    this.past.push(queued);
    if (queued.kind === 'TaskFinished') this.inFlight.delete(keyOf(queued));
    if (queued.kind === 'Retry')
      this.append({ kind: 'Timeout', payload: null, dueAt: this.now + this.timeout });
    return this.apply(queued);
  }

  /** Applies an event that is in no queue: one that came again, or from nowhere. */
  apply({ kind, payload, dueAt }: Queued): Applied {
    this.#events += 1;
    const { id, tenant, version, priority } = this.execution;
    const event: WorkflowEvent = {
      id: String(this.#events) as EventId,
      execution: id,
      tenant,
      version,
      kind,
      payload,
      priority,
      dueAt: instant(dueAt),
      attempt: 1,
    };
    const before = this.execution;
    const step = decide(pipelineMachine, { execution: before, event, now: instant(this.now) });
    const applied = { event, now: this.now, before, step };
    this.log.push(applied);
    this.execution = after(applied);
    return applied;
  }

  /** Takes over what a step appends and takes back. Throws where it takes back what is not there. */
  settle({ events, tasks, cancelTasks, cancelEvents }: Step): void {
    for (const key of cancelTasks) {
      if (!this.open.delete(key) && !this.inFlight.has(key))
        throw new Error(`takes back ${key}, which is not open`);
    }
    for (const { kind, payload } of cancelEvents) {
      const found = this.queue.find((queued) => queued.kind === kind && isEqual(queued.payload, payload));
      if (found === undefined)
        throw new Error(`takes back ${kind} ${JSON.stringify(payload)}, which is not there`);
      this.queue = this.queue.filter((other) => other !== found);
      this.past.push(found);
    }
    for (const task of tasks) {
      if (this.open.has(task.key)) throw new Error(`task ${task.key} is open already`);
      this.open.set(task.key, task);
    }
    for (const { kind, payload, delay = 0 } of events)
      this.append({ kind, payload, dueAt: this.now + delay });
  }

  append(queued: Queued): void {
    this.queue = [...this.queue, queued];
  }

  /** A delegate's result. */
  finish(task: NewTask, outcome: TaskOutcome): void {
    this.open.delete(task.key);
    this.inFlight.add(task.key);
    this.append({
      kind: 'TaskFinished',
      payload: { key: task.key, outcome: { ...outcome } },
      dueAt: this.now,
    });
  }

  /** The same events at the same times once more, from the beginning. */
  replay(): Execution {
    let execution = this.#first;
    for (const { event, now } of this.log) {
      const step = decide(pipelineMachine, { execution, event, now: instant(now) });
      execution = after({ event, now, before: execution, step });
    }
    return execution;
  }
}

function after({ before, step, event, now }: Applied): Execution {
  const { endedAt, result, ...rest } = before;
  const next = { ...rest, data: step.data, revision: before.revision + 1, updatedAt: instant(now) };
  if (step.end !== undefined) {
    const { state, error, result: own } = step.end;
    return { ...next, state, error, endedAt: instant(now), ...(own === undefined ? {} : { result: own }) };
  }
  if (before.state === 'Running') return next;
  if (before.state === 'Failed' && event.kind === 'Retry') return { ...next, state: 'Running', error: '' };
  return {
    ...next,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(result === undefined ? {} : { result }),
  };
}

function keyOf({ payload }: Queued): string {
  return (payload as { readonly key: string }).key;
}

export function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
