/** An execution of a pipeline, led by a test step by step: events come in order, and only when the test says so. */
import type { Json } from '../../src/model/json.ts';
import type { NewTask } from '../../src/model/step.ts';
import type { Execution, TaskOutcome } from '../../src/model/workflow.ts';
import type { Pipeline } from '../../src/workflow/pipeline/definition.ts';
import type { HttpResult, ShellResult } from '../../src/workflow/pipeline/tasks.ts';
import { pipelineView, type StepView } from '../../src/workflow/pipeline/view.ts';
import { PipelineWorld, type Queued } from './pipeline-simulation/world.ts';

export class PipelineRun {
  readonly world: PipelineWorld;

  /** Begins it. */
  constructor(pipeline: Pipeline, input: Json = {}) {
    this.world = new PipelineWorld(pipeline, input);
    this.pass(0);
  }

  get execution(): Execution {
    return this.world.execution;
  }

  /** Keys of the tasks that are open. */
  get open(): readonly string[] {
    return [...this.world.open.keys()];
  }

  /** Timers that are set, as `step#attempt purpose`. */
  get timers(): readonly string[] {
    return this.world.queue
      .filter(({ kind }) => kind === 'Timer')
      .map(({ payload }) => {
        const { step, attempt, purpose } = payload as Readonly<Record<string, string | number>>;
        return `${step}#${attempt} ${purpose}`;
      });
  }

  /** Remarks of the last event. */
  get notes(): readonly string[] {
    return (this.world.log.at(-1)?.step.notes ?? []).map(({ step, detail }) => `${step}: ${detail}`);
  }

  task(key: string): NewTask {
    const task = this.world.open.get(key);
    if (task === undefined) throw new Error(`${key} is not open; open are ${this.open.join(', ')}`);
    return task;
  }

  /** The delegate's result; `json` becomes that of the output. */
  succeed(key: string, json: Json = null): void {
    this.succeedWith(key, { exitCode: 0, stdout: '', json } satisfies ShellResult);
  }

  /** The answer to an HTTP call. */
  answer(key: string, body: Json): void {
    this.succeedWith(key, { status: 200, body } satisfies HttpResult);
  }

  succeedWith(key: string, result: Json): void {
    this.#finish(key, { kind: 'Succeeded', result });
  }

  fail(key: string, error = 'status 1'): void {
    this.#finish(key, { kind: 'Failed', error, retryable: false });
  }

  /** Time goes by, and what comes due comes in its order. */
  pass(milliseconds: number): void {
    const until = this.world.now + milliseconds;
    for (;;) {
      const [next] = this.world.queue.toSorted((left, right) => left.dueAt - right.dueAt);
      if (next === undefined || next.dueAt > until) break;
      this.world.now = Math.max(this.world.now, next.dueAt);
      this.#deliver(next);
    }
    this.world.now = until;
  }

  /** A command, or any other event. */
  send(kind: string, payload: Json): void {
    this.#deliver({ kind, payload, dueAt: this.world.now });
  }

  view(path = ''): StepView {
    const found = flat(pipelineView(this.execution)).find((view) => view.path === path);
    if (found === undefined) throw new Error(`there is no step ${path}`);
    return found;
  }

  /** Each step with its state, those that are at the root first. */
  get states(): Readonly<Record<string, string>> {
    const steps = flat(pipelineView(this.execution)).filter(({ path }) => path !== '');
    return Object.fromEntries(steps.map(({ path, state }) => [path, state]));
  }

  #finish(key: string, outcome: TaskOutcome): void {
    this.world.finish(this.task(key), outcome);
    this.pass(0);
  }

  #deliver(queued: Queued): void {
    const { step } = this.world.deliver(queued);
    this.world.settle(step);
    if (step.end === undefined) return;
    // What is queued goes with the end.
    this.world.queue = [];
  }
}

function flat(view: StepView): readonly StepView[] {
  return [view, ...view.steps.flatMap(flat)];
}
