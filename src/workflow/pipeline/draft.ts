/** A step of the machine while it is decided: the runs as they will be, and what goes with them. */
import { after, type Instant, type Milliseconds } from '../../model/instant.ts';
import type { Json } from '../../model/json.ts';
import type { NewEvent, NewTask, Step } from '../../model/step.ts';
import { visible } from '../../model/text.ts';
import type { Execution } from '../../model/workflow.ts';
import { MAX_ERROR_LENGTH } from './bounds.ts';
import type { PipelineTimer, TimerPurpose } from './events.ts';
import { type PipelineData, readData, type StepRun, type StepState, toJson } from './state.ts';
import { type StepNode, treeOf } from './tree.ts';

export class Draft {
  readonly execution: Execution;
  readonly now: Instant;
  readonly data: PipelineData;
  readonly root: StepNode;
  readonly #runs: Map<string, StepRun>;
  #tasks: readonly NewTask[] = [];
  #events: readonly NewEvent[] = [];
  readonly #cancelTasks: string[] = [];
  readonly #cancelEvents: { readonly kind: string; readonly payload: Json }[] = [];
  readonly #notes: { readonly step: string; readonly detail: string }[] = [];

  constructor(execution: Execution, now: Instant) {
    this.execution = execution;
    this.now = now;
    this.data = readData(execution.data);
    this.root = treeOf(this.data.pipeline);
    this.#runs = new Map(Object.entries(this.data.steps));
  }

  /** The run of a step, where it has ever begun. */
  run(node: StepNode): StepRun | undefined {
    return this.#runs.get(node.path);
  }

  state(node: StepNode): StepState {
    return this.run(node)?.state ?? 'Pending';
  }

  runs(): Iterable<StepRun> {
    return this.#runs.values();
  }

  put(node: StepNode, run: StepRun): void {
    this.#runs.set(node.path, run);
  }

  /** Changes fields of a run, which must be there. */
  change(node: StepNode, fields: Partial<StepRun>): void {
    const run = this.run(node);
    if (run === undefined) throw new Error(`${node.path} has not begun`);
    this.put(node, { ...run, ...fields });
  }

  note(step: string, detail: string): void {
    this.#notes.push({ step, detail: visible(detail, MAX_ERROR_LENGTH) });
  }

  addTask(task: NewTask): void {
    this.#tasks = [...this.#tasks, task];
  }

  cancelTask(key: string): void {
    const isNew = this.#tasks.some((task) => task.key === key);
    if (isNew) this.#tasks = this.#tasks.filter((task) => task.key !== key);
    else this.#cancelTasks.push(key);
  }

  /** Sets a timer for the attempt that runs. */
  setTimer(node: StepNode, purpose: TimerPurpose, delay: Milliseconds): void {
    this.#events = [...this.#events, { kind: 'Timer', payload: this.#timer(node, purpose), delay }];
    this.change(node, { until: after(this.now, delay) });
  }

  cancelTimer(node: StepNode, purpose: TimerPurpose): void {
    const payload = this.#timer(node, purpose);
    const isSame = (event: NewEvent) => JSON.stringify(event.payload) === JSON.stringify(payload);
    if (this.#events.some(isSame)) this.#events = this.#events.filter((event) => !isSame(event));
    else this.#cancelEvents.push({ kind: 'Timer', payload });
  }

  step(end?: Step['end']): Step {
    return {
      data: toJson({ ...this.data, steps: Object.fromEntries(this.#runs) }),
      events: this.#events,
      tasks: this.#tasks,
      cancelTasks: this.#cancelTasks,
      cancelEvents: this.#cancelEvents,
      notes: this.#notes,
      ...(end === undefined ? {} : { end }),
    };
  }

  #timer(node: StepNode, purpose: TimerPurpose): Json {
    const timer: PipelineTimer = { step: node.path, attempt: this.run(node)?.attempt ?? 0, purpose };
    return { ...timer };
  }
}
