/**
 * All that a manager runs over its store: events and tasks, each waking the other. What its author adds are machines,
 * and a way for delegates to come in.
 */
import type { Milliseconds } from '../../model/instant.ts';
import type { Worker } from '../../model/workflow.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Command,
  CommandOutcome,
  NewExecution,
  StartOutcome,
  WorkflowStore,
} from '../../ports/workflow-store.ts';
import type { Machine } from '../machine.ts';
import { Dispatcher, type DispatcherListener } from './dispatcher.ts';
import { Pruner } from './pruner.ts';
import { Runner, type RunnerListener } from './runner.ts';

export interface HostOptions {
  readonly store: WorkflowStore;
  readonly clock: Clock;
  readonly worker: Worker;
  readonly machines: readonly Machine[];
  readonly listener: RunnerListener & DispatcherListener;
  /** Of events and tasks alike. Default 30 s. */
  readonly lease?: Milliseconds;
  readonly concurrency?: number;
  readonly pollEvery?: Milliseconds;
  readonly saveEvery?: Milliseconds;
  /** Executions that ended are removed after this time, with their history. Default 30 days. */
  readonly keepEnded?: Milliseconds;
}

const DAY = 86_400_000;

export class WorkflowHost {
  readonly runner: Runner;
  readonly dispatcher: Dispatcher;
  readonly #store: WorkflowStore;
  readonly #worker: Worker;
  readonly #pruner: Pruner;

  constructor(options: HostOptions) {
    const { listener, machines, concurrency, saveEvery, keepEnded = 30 * DAY, ...common } = options;
    this.#pruner = new Pruner({
      store: options.store,
      clock: options.clock,
      keepEnded,
      onFault: (error) => listener.onFault({ doing: 'removing executions that ended long ago', error }),
    });
    this.#store = options.store;
    this.#worker = options.worker;
    this.runner = new Runner({
      ...common,
      machines,
      ...(concurrency !== undefined && { concurrency }),
      listener: {
        onApplied: (applied) => {
          const { event, step } = applied;
          if (step.tasks.length > 0) this.dispatcher.wake(event.tenant);
          if (step.cancelTasks.length > 0 || step.end !== undefined) void this.dispatcher.tookBack(event);
          listener.onApplied(applied);
        },
        onGivenBack: (failed) => listener.onGivenBack(failed),
        onLost: (event) => listener.onLost(event),
        onFault: (fault) => listener.onFault(fault),
      },
    });
    this.dispatcher = new Dispatcher({
      ...common,
      ...(saveEvery !== undefined && { saveEvery }),
      listener: {
        onAssigned: (claimed) => listener.onAssigned(claimed),
        onFinished: (finished) => {
          this.runner.wake();
          listener.onFinished(finished);
        },
        onFault: (fault) => listener.onFault(fault),
      },
    });
  }

  /** Begins an execution on this manager's version. Throws PayloadTooLargeError. */
  async start(request: Omit<NewExecution, 'version'>): Promise<StartOutcome> {
    const worker = this.#worker;
    const outcome = await this.#store.start({ ...request, version: worker.version, worker });
    if (outcome.kind === 'Started') this.runner.wake();
    return outcome;
  }

  /** Asks something of an execution of any version. */
  async command(command: Omit<Command, 'worker'>): Promise<CommandOutcome> {
    const outcome = await this.#store.command({ ...command, worker: this.#worker });
    if (outcome === 'Appended') this.runner.wake();
    return outcome;
  }

  /** Works until the signal, then finishes the events that it has. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.runner.run(signal), this.dispatcher.run(signal), this.#pruner.run(signal)]);
  }
}
