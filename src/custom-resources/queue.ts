/**
 * Work by key: one at a time for each key, none waits for another's. Whatever is asked for while a key is worked on is one
 * further turn; a turn that fails is tried again, later each time.
 */
import { type Backoff, retryDelay } from '../model/backoff.ts';
import type { Milliseconds } from '../model/instant.ts';
import type { Clock } from '../ports/clock.ts';

export interface QueueOptions {
  readonly work: (key: string) => Promise<void>;
  readonly onFailed: (key: string, error: unknown) => void;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly backoff: Backoff;
  /** What is asked for so soon one after the other is one turn. */
  readonly gather: Milliseconds;
}

export class Queue {
  readonly #options: QueueOptions;
  readonly #stop = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Asks for a turn of this key. */
  add(key: string): void {
    if (this.#stop.signal.aborted) return;
    this.#again.add(key);
    if (this.#running.has(key)) return;
    this.#running.set(
      key,
      this.#run(key).finally(() => this.#running.delete(key)),
    );
  }

  /** Resolves when the turns that have begun have ended; no other begins. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running.values());
  }

  async #run(key: string): Promise<void> {
    const { work, onFailed, clock, random, backoff, gather } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; this.#again.has(key); ) {
      const wait = failures === 0 ? gather : retryDelay({ ...backoff, failures, random: random() });
      await clock.sleep(wait, signal).catch(() => undefined);
      if (signal.aborted) return;
      this.#again.delete(key);
      try {
        await work(key);
        failures = 0;
      } catch (error) {
        failures += 1;
        onFailed(key, error);
        this.#again.add(key);
      }
    }
  }
}
