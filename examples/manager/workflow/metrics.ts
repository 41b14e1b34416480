/** What Prometheus reads of the workflow half: by version, never by tenant. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { VersionName } from '../../../src/model/names.ts';
import type { Step } from '../../../src/model/step.ts';
import type { VersionWork, WorkflowEvent } from '../../../src/model/workflow.ts';
import type { Engine } from './engine.ts';

/** A count of the store may be this old, so that many scrapes cost no more than one. */
const FRESH_MS = 1_000;

export class EngineMetrics {
  readonly #registry = new Registry();
  readonly #engine: Engine;
  readonly #started: Counter<'version'>;
  readonly #ended: Counter<'version' | 'state'>;
  readonly #events: Counter<'version' | 'outcome'>;
  readonly #seconds: Histogram<'version'>;
  readonly #tasks: Counter<'version' | 'outcome'>;
  readonly #open: Gauge<'version' | 'kind' | 'state'>;
  readonly #fenced: Gauge<'version'>;
  readonly #delegates: Gauge<'version'>;
  readonly #delegateTasks: Gauge<'version'>;
  #counted: { readonly at: number; readonly work: readonly VersionWork[] } = {
    at: Number.NEGATIVE_INFINITY,
    work: [],
  };

  constructor({ version, engine }: { version: VersionName; engine: Engine }) {
    this.#engine = engine;
    const registers = [this.#registry];
    const labels = ['version', 'outcome'] as const;
    this.#started = new Counter({
      name: 'manager_executions_started_total',
      help: 'Executions that this instance began.',
      labelNames: ['version'],
      registers,
    });
    this.#ended = new Counter({
      name: 'manager_executions_ended_total',
      help: 'Executions that ended in a step of this instance, by the state that they ended in.',
      labelNames: ['version', 'state'],
      registers,
    });
    this.#events = new Counter({
      name: 'manager_events_total',
      help: 'Events that this instance was done with: applied, given back for another attempt, or lost to another.',
      labelNames: labels,
      registers,
    });
    this.#seconds = new Histogram({
      name: 'manager_event_seconds',
      help: 'From the claim of an event to its applied step.',
      labelNames: ['version'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    });
    this.#tasks = new Counter({
      name: 'manager_tasks_total',
      help: 'Tasks that this instance assigned, and results that it took, by what they came to.',
      labelNames: labels,
      registers,
    });
    this.#open = new Gauge({
      name: 'manager_open_work',
      help: 'Open work of the versions that this instance may touch, in the whole store.',
      labelNames: ['version', 'kind', 'state'],
      registers,
    });
    this.#fenced = new Gauge({
      name: 'manager_fenced',
      help: 'Whether the version takes no new executions.',
      labelNames: ['version'],
      registers,
    });
    this.#delegates = new Gauge({
      name: 'manager_delegates',
      help: 'Delegates that have a stream to this instance.',
      labelNames: ['version'],
      registers,
    });
    this.#delegateTasks = new Gauge({
      name: 'manager_delegate_tasks',
      help: 'Tasks that these delegates have.',
      labelNames: ['version'],
      registers,
    });
    this.#started.inc({ version }, 0);
  }

  started(version: VersionName): void {
    this.#started.inc({ version });
  }

  applied({ event, step, took }: { event: WorkflowEvent; step: Step; took: number }): void {
    const { version } = event;
    this.eventEnded(version, 'applied');
    this.#seconds.observe({ version }, took / 1_000);
    if (step.end !== undefined) this.#ended.inc({ version, state: step.end.state });
  }

  eventEnded(version: VersionName, outcome: 'applied' | 'given_back' | 'lost'): void {
    this.#events.inc({ version, outcome });
  }

  task(version: VersionName, outcome: string): void {
    this.#tasks.inc({ version, outcome });
  }

  /** Rejects where the store does not answer: no numbers are better than old ones. */
  async scrape(): Promise<{ readonly contentType: string; readonly body: string }> {
    for (const work of await this.#count()) {
      const { version } = work;
      const set = (kind: string, state: string, value: number) =>
        this.#open.set({ version, kind, state }, value);
      set('execution', 'running', work.executions);
      for (const state of ['queued', 'leased', 'delayed'] as const) {
        set('event', state, work.events[state]);
        set('task', state, work.tasks[state]);
      }
      set('event', 'dead', work.deadLetters);
      this.#fenced.set({ version }, work.fencedSince === undefined ? 0 : 1);
    }
    const { version, host } = this.#engine;
    this.#delegates.set({ version }, host.dispatcher.connected);
    this.#delegateTasks.set({ version }, host.dispatcher.running);
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  async #count(): Promise<readonly VersionWork[]> {
    if (performance.now() - this.#counted.at < FRESH_MS) return this.#counted.work;
    const { store, version } = this.#engine;
    const versions = await store.compatibleVersions(version);
    const work = await Promise.all(versions.map((each) => store.count(each)));
    this.#counted = { at: performance.now(), work };
    return work;
  }
}
