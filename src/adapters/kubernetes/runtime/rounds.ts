/**
 * One piece of work for each service at a time, done again where something has changed meanwhile, and after a growing wait
 * where it failed. Work for different services goes on side by side.
 */
import type { Backoff } from '../../../model/backoff.ts';
import { retryDelay } from '../../../model/backoff.ts';
import type { ServiceName } from '../../../model/names.ts';
import type { Clock } from '../../../ports/clock.ts';

export interface RoundsOptions {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** True: all is done. False: it must be tried again. Never rejects. */
  readonly round: (service: ServiceName) => Promise<boolean>;
}

const BACKOFF: Backoff = { initial: 1_000, max: 30_000 };

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #stop = new AbortController();
  readonly #due = new Set<ServiceName>();
  readonly #running = new Map<ServiceName, Promise<void>>();
  /** Somebody has wished something since the last round began. */
  readonly #hurried = new Set<ServiceName>();
  /** Ends the wait after a failure. */
  readonly #waits = new Map<ServiceName, AbortController>();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Something has changed: a round follows, after the wait where the last one failed. */
  wake(service: ServiceName): void {
    if (this.#stop.signal.aborted) return;
    this.#due.add(service);
    if (!this.#running.has(service)) this.#running.set(service, this.#run(service));
  }

  /** Somebody wishes something: a round follows at once. */
  hurry(service: ServiceName): void {
    this.#hurried.add(service);
    this.#waits.get(service)?.abort();
    this.wake(service);
  }

  /** Resolves when no round runs any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }

  async #run(service: ServiceName): Promise<void> {
    // Whoever wakes may be in the middle of something.
    await Promise.resolve();
    for (let failures = 0; this.#due.delete(service) && !this.#stop.signal.aborted; ) {
      this.#hurried.delete(service);
      failures = (await this.#options.round(service)) ? 0 : failures + 1;
      if (failures === 0) continue;
      if (!this.#hurried.has(service)) await this.#wait(service, failures);
      if (this.#hurried.has(service)) failures = 0;
      this.#due.add(service);
    }
    this.#running.delete(service);
  }

  async #wait(service: ServiceName, failures: number): Promise<void> {
    const { clock, random } = this.#options;
    const hurry = new AbortController();
    this.#waits.set(service, hurry);
    const signal = AbortSignal.any([hurry.signal, this.#stop.signal]);
    await clock.sleep(retryDelay({ ...BACKOFF, failures, random: random() }), signal).catch(() => undefined);
    this.#waits.delete(service);
  }
}
