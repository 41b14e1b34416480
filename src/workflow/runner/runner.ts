/**
 * Works on events: claims those of the manager's compatible versions, asks the machine, applies its step. Several
 * runners, in one process or many, share the work of a version. Construct it, then `run` it until the signal.
 */
import { type Backoff, retryDelay } from '../../model/backoff.ts';
import type { Milliseconds } from '../../model/instant.ts';
import type { Step } from '../../model/step.ts';
import type { Execution, Worker, WorkflowEvent } from '../../model/workflow.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClaimedEvent, EventLease, WorkflowStore } from '../../ports/workflow-store.ts';
import { decide } from '../decide.ts';
import type { Machine } from '../machine.ts';
import { Bell } from './bell.ts';
import { CompatibleVersions } from './compatible.ts';
import { describeError } from './faults.ts';
import { StoreTime } from './store-time.ts';

export interface RunnerOptions {
  readonly store: WorkflowStore;
  readonly clock: Clock;
  readonly worker: Worker;
  readonly machines: readonly Machine[];
  readonly listener: RunnerListener;
  /** Events at a time. Default 16. */
  readonly concurrency?: number;
  /** Renewed at a third of it. Default 30 s. */
  readonly lease?: Milliseconds;
  /** How late it may be for what was delayed. Default 500 ms. */
  readonly pollEvery?: Milliseconds;
  /** For events that failed, and for a store that does not answer. Default 200 ms to 1 min. */
  readonly backoff?: Backoff;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/** Told of what becomes of events; it must not throw. */
export interface RunnerListener {
  onApplied(applied: {
    readonly event: WorkflowEvent;
    readonly step: Step;
    readonly took: Milliseconds;
  }): void;
  /** It is tried again, or given up by the store. */
  onGivenBack(failed: { readonly event: WorkflowEvent; readonly error: string }): void;
  /** Somebody else has it. */
  onLost(event: WorkflowEvent): void;
  /** The store did not answer. */
  onFault(fault: { readonly doing: string; readonly error: unknown }): void;
}

/** Decisions anew for one event before it is left to a later attempt. */
const MOST_CONFLICTS = 100;
const DEFAULT_BACKOFF: Backoff = { initial: 200, max: 60_000 };

export class Runner {
  readonly #options: Required<RunnerOptions>;
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #compatible: CompatibleVersions;
  readonly #time: StoreTime;
  readonly #bell: Bell;
  readonly #working = new Map<string, { readonly lease: EventLease; readonly done: Promise<void> }>();
  #moreAreDue = false;

  constructor(options: RunnerOptions) {
    this.#options = {
      concurrency: 16,
      lease: 30_000,
      pollEvery: 500,
      backoff: DEFAULT_BACKOFF,
      random: Math.random,
      ...options,
    };
    this.#machines = new Map(options.machines.map((machine) => [machine.name, machine]));
    this.#compatible = new CompatibleVersions(options.store, options.clock);
    this.#time = new StoreTime(options.store, options.clock);
    this.#bell = new Bell(options.clock);
  }

  /** Looks for events now: something was appended. */
  wake(): void {
    this.#bell.ring();
  }

  /** Events that it works on. */
  get working(): number {
    return this.#working.size;
  }

  /** Works until the signal, then finishes what it has. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const renewing = new AbortController();
    const renewed = this.#renew(renewing.signal);
    const wake = () => this.wake();
    const unsubscribe = store.subscribe(wake);
    signal.addEventListener('abort', wake, { once: true });
    try {
      await this.#claim(signal);
      await Promise.all([...this.#working.values()].map(({ done }) => done));
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', wake);
      renewing.abort();
      await renewed;
    }
  }

  async #claim(signal: AbortSignal): Promise<void> {
    const { concurrency, pollEvery, backoff, random, listener } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const free = concurrency - this.#working.size;
      try {
        const claimed = free > 0 ? await this.#claimUpTo(free) : 0;
        failures = 0;
        this.#moreAreDue = claimed >= free;
        if (claimed < free || free <= 0) await this.#bell.heard(pollEvery * (0.75 + random() / 2));
      } catch (error) {
        failures += 1;
        listener.onFault({ doing: 'claiming events', error });
        await this.#pause(retryDelay({ ...backoff, failures, random: random() }), signal);
      }
    }
  }

  /** How many it got. */
  async #claimUpTo(limit: number): Promise<number> {
    const { store, worker, lease } = this.#options;
    const versions = await this.#compatible.of(worker.version);
    const claimed = await store.claimEvents({ worker, versions, limit, lease });
    for (const each of claimed) this.#begin(each);
    return claimed.length;
  }

  #begin(claimed: ClaimedEvent): void {
    const { event, lease } = claimed;
    const held: EventLease = { event: event.id, token: lease.token };
    const key = `${held.event}/${held.token}`;
    const done = this.#process(claimed, held).finally(() => {
      this.#working.delete(key);
      // By half a house at a time, so that a claim is worth its transaction.
      if (this.#moreAreDue && this.#working.size <= this.#options.concurrency / 2) this.wake();
    });
    this.#working.set(key, { lease: held, done });
  }

  async #process({ event, execution }: ClaimedEvent, lease: EventLease): Promise<void> {
    const { clock, listener } = this.#options;
    const began = clock.now();
    try {
      const step = await this.#apply({ event, execution, lease });
      if (step === undefined) {
        listener.onLost(event);
        return;
      }
      listener.onApplied({ event, step, took: clock.now() - began });
      if (step.events.some(({ delay = 0 }) => delay === 0)) this.wake();
    } catch (error) {
      await this.#giveBack({ event, lease, error });
    }
  }

  /** The step that was applied; undefined where the lease was lost. */
  async #apply(work: {
    event: WorkflowEvent;
    execution: Execution;
    lease: EventLease;
  }): Promise<Step | undefined> {
    const { store, worker } = this.#options;
    const { event, lease } = work;
    const machine = this.#machines.get(work.execution.machine);
    if (machine === undefined) {
      throw new Error(`this manager has no machine ${JSON.stringify(work.execution.machine)}`);
    }
    let { execution } = work;
    for (let conflicts = 0; conflicts < MOST_CONFLICTS; conflicts += 1) {
      const step = decide(machine, { execution, event, now: await this.#time.now() });
      const outcome = await store.apply({ lease, revision: execution.revision, step, worker });
      if (outcome.kind === 'Applied') return step;
      if (outcome.kind === 'LeaseLost') return undefined;
      ({ execution } = outcome);
    }
    throw new Error(`${MOST_CONFLICTS} other events of the execution came in between`);
  }

  async #giveBack(failed: { event: WorkflowEvent; lease: EventLease; error: unknown }): Promise<void> {
    const { store, worker, backoff, random, listener } = this.#options;
    const { event, lease } = failed;
    const error = describeError(failed.error);
    const delay = retryDelay({ ...backoff, failures: event.attempt, random: random() });
    try {
      const isOurs = await store.giveBack({ lease, delay, error, worker });
      if (isOurs) listener.onGivenBack({ event, error });
      else listener.onLost(event);
    } catch (fault) {
      // Its lease runs out, and then it is due again.
      listener.onFault({ doing: `giving back event ${event.id}`, error: fault });
    }
  }

  /** Keeps the leases of what it works on while the store is slow. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { store, lease, listener } = this.#options;
    for (;;) {
      await this.#pause(lease / 3, signal);
      if (signal.aborted) return;
      const leases = [...this.#working.values()].map((work) => work.lease);
      if (leases.length === 0) continue;
      try {
        // A lost one needs no care: its step is refused.
        await store.renewEvents({ leases, lease });
      } catch (error) {
        listener.onFault({ doing: 'renewing leases of events', error });
      }
    }
  }

  async #pause(length: Milliseconds, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(length, signal).catch(() => {});
  }
}
