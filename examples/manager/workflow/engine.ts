/** The workflow half of one instance of the manager: what it runs over its store, and how it leaves it to the others. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { systemClock } from '../../../src/adapters/clock.ts';
import { type VersionName, versionName } from '../../../src/model/names.ts';
import type { ManagerId, Worker } from '../../../src/model/workflow.ts';
import type { WorkflowStore } from '../../../src/ports/workflow-store.ts';
import type { PipelineLibrary } from '../../../src/workflow/pipeline/expand.ts';
import { pipelineMachine } from '../../../src/workflow/pipeline/machine.ts';
import { WorkflowHost } from '../../../src/workflow/runner/host.ts';
import type { Identity } from '../instance.ts';
import { EngineMetrics } from './metrics.ts';
import { TaskReports } from './task-reports.ts';

export interface EngineOptions {
  readonly identity: Identity;
  readonly store: WorkflowStore;
  readonly library: PipelineLibrary;
  /** Versions whose work this one may continue. */
  readonly continues: readonly string[];
  /** Milliseconds after which the work of whoever died is free again. */
  readonly lease: number;
  readonly log: Logger;
}

/** How long delegates may take to leave, and to hand in results on their old streams. */
const LEAVING_MS = 5_000;
const LOOK_EVERY_MS = 20;
/** Heartbeats in a lease: some may be late. */
const HEARTBEATS_OF_A_LEASE = 6;

export class Engine {
  readonly identity: Identity;
  readonly version: VersionName;
  readonly worker: Worker;
  readonly store: WorkflowStore;
  readonly library: PipelineLibrary;
  readonly host: WorkflowHost;
  readonly metrics: EngineMetrics;
  readonly reports = new TaskReports();
  readonly log: Logger;
  /** Milliseconds between the heartbeats of delegates. */
  readonly heartbeat: number;
  readonly #leaving = new AbortController();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  private constructor(options: EngineOptions) {
    const { identity, store, log, lease } = options;
    this.identity = identity;
    this.version = versionName(identity.version);
    // One process of a manager is one worker: an instance that starts again is another one.
    const manager = `${identity.instance}-${Date.now().toString(36)}-${process.pid}` as ManagerId;
    this.worker = { manager, version: this.version };
    this.store = store;
    this.library = options.library;
    this.log = log;
    this.heartbeat = Math.round(lease / HEARTBEATS_OF_A_LEASE);
    this.metrics = new EngineMetrics({ version: this.version, engine: this });
    this.host = new WorkflowHost({
      store,
      clock: systemClock,
      worker: this.worker,
      machines: [pipelineMachine],
      lease,
      listener: {
        onApplied: ({ event, step, took }) => this.metrics.applied({ event, step, took }),
        onGivenBack: ({ event, error }) => {
          this.metrics.eventEnded(event.version, 'given_back');
          log.warn(
            { event: event.id, execution: event.execution, attempt: event.attempt, error },
            'an event failed',
          );
        },
        onLost: (event) => this.metrics.eventEnded(event.version, 'lost'),
        onAssigned: ({ task }) => this.metrics.task(task.version, 'assigned'),
        onFinished: ({ lease: { task }, outcome }) => {
          this.reports.forget(task);
          this.metrics.task(this.version, outcome.toLowerCase());
        },
        onFault: ({ doing, error }) => log.error({ err: error }, doing),
      },
    });
    this.#running = this.host.run(this.#stopping.signal);
  }

  /** Declares what the version continues, and begins to work. Rejects where the store does not answer. */
  static async start(options: EngineOptions): Promise<Engine> {
    if (options.continues.length > 0) {
      await options.store.declareContinuation({
        version: versionName(options.identity.version),
        continues: options.continues.map(versionName),
      });
    }
    return new Engine(options);
  }

  /** Aborted when delegates are to go elsewhere. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Sends the delegates to other managers; resolves when they have gone, or had time to. */
  async handOver(): Promise<void> {
    this.#leaving.abort();
    const until = performance.now() + LEAVING_MS;
    while (this.host.dispatcher.connected > 0 && performance.now() < until) await sleep(LOOK_EVERY_MS);
  }

  /** Finishes the events that it has, and closes the store. */
  async stop(): Promise<void> {
    this.#leaving.abort();
    this.#stopping.abort();
    await this.#running;
    await this.store.close();
  }
}
