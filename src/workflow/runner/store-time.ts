/** The time by the store's clock, without asking it each time: how far ours is off is measured now and then. */
import { type Instant, instant, type Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';

const MEASURE_EVERY: Milliseconds = 10_000;

export class StoreTime {
  readonly #store: WorkflowStore;
  readonly #clock: Clock;
  #measured: { readonly ahead: Promise<Milliseconds>; readonly at: Instant } | undefined;

  constructor(store: WorkflowStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Rejects where the store does not answer. */
  async now(): Promise<Instant> {
    return this.ofStore(this.#clock.now(), await this.ahead());
  }

  /** How far the store's clock is before ours; below 0: behind. */
  async ahead(): Promise<Milliseconds> {
    const now = this.#clock.now();
    const known = this.#measured;
    // A clock of ours that was set back makes what was measured useless.
    if (known !== undefined && now >= known.at && now - known.at < MEASURE_EVERY) return known.ahead;
    const ahead = this.#store.now().then((theirs) => theirs - now);
    this.#measured = { ahead, at: now };
    try {
      return await ahead;
    } catch (error) {
      this.#measured = undefined;
      throw error;
    }
  }

  /** One of our instants by the store's clock. */
  ofStore(ours: Instant, ahead: Milliseconds): Instant {
    return instant(Math.max(0, ours + ahead));
  }
}
