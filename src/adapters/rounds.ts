/**
 * One piece of work for each key at a time, done again where something has changed meanwhile, and after a growing wait where
 * it failed. Work for different keys goes on side by side.
 */
import { type Backoff, retryDelay } from '../model/backoff.ts';
import type { Milliseconds } from '../model/instant.ts';
import type { Clock } from '../ports/clock.ts';

export interface RoundsOptions<Key extends string> {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** True: all is done. False: it must be tried again. Never rejects. */
  readonly round: (key: Key) => Promise<boolean>;
  /** How long to wait after failures. Default 1 to 30 seconds. */
  readonly backoff?: Backoff;
  /** What changes within it is one round. Default: what changes in one turn of the event loop. */
  readonly gather?: Milliseconds;
}

const BACKOFF: Backoff = { initial: 1_000, max: 30_000 };

export class Rounds<Key extends string> {
  readonly #options: RoundsOptions<Key>;
  readonly #stop = new AbortController();
  readonly #due = new Set<Key>();
  readonly #running = new Map<Key, Promise<void>>();
  /** Somebody has wished something since the last round began. */
  readonly #hurried = new Set<Key>();
  /** Ends the wait after a failure. */
  readonly #waits = new Map<Key, AbortController>();

  constructor(options: RoundsOptions<Key>) {
    this.#options = options;
  }

  /** Something has changed: a round follows, after the wait where the last one failed. */
  wake(key: Key): void {
    if (this.#stop.signal.aborted) return;
    this.#due.add(key);
    if (!this.#running.has(key)) this.#running.set(key, this.#run(key));
  }

  /** Somebody wishes something: a round follows at once. */
  hurry(key: Key): void {
    this.#hurried.add(key);
    this.#waits.get(key)?.abort();
    this.wake(key);
  }

  /** Resolves when no round runs any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }

  async #run(key: Key): Promise<void> {
    const { round } = this.#options;
    const { signal } = this.#stop;
    // Whoever wakes may be in the middle of something.
    await Promise.resolve();
    for (let failures = 0; this.#due.has(key) && !signal.aborted; ) {
      if (failures === 0) await this.#gather();
      if (signal.aborted) break;
      this.#due.delete(key);
      this.#hurried.delete(key);
      failures = (await round(key)) ? 0 : failures + 1;
      if (failures === 0) continue;
      if (!this.#hurried.has(key)) await this.#wait(key, failures);
      if (this.#hurried.has(key)) failures = 0;
      this.#due.add(key);
    }
    this.#running.delete(key);
  }

  async #gather(): Promise<void> {
    const { clock, gather = 0 } = this.#options;
    if (gather > 0) await clock.sleep(gather, this.#stop.signal).catch(() => undefined);
  }

  async #wait(key: Key, failures: number): Promise<void> {
    const { clock, random, backoff = BACKOFF } = this.#options;
    const hurry = new AbortController();
    this.#waits.set(key, hurry);
    const signal = AbortSignal.any([hurry.signal, this.#stop.signal]);
    await clock.sleep(retryDelay({ ...backoff, failures, random: random() }), signal).catch(() => undefined);
    this.#waits.delete(key);
  }
}
