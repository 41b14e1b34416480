/** Keeps what the store knows of a manager's delegates fresh: all of them at once, now and then, whoever had news. */
import { after, type Instant, type Milliseconds } from '../../model/instant.ts';
import type { DelegateRegistration, ManagerId } from '../../model/workflow.ts';
import type { Clock } from '../../ports/clock.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import { StoreTime } from './store-time.ts';

/** One that has gone is still told of, as last seen: a rollout counts those of the last day. */
const REMEMBERED: Milliseconds = 24 * 3_600_000;
/** Names are what delegates say: however many they make up, no more are remembered. */
const MOST_REMEMBERED = 50_000;

export class Registrations {
  readonly #store: WorkflowStore;
  readonly #clock: Clock;
  readonly #time: StoreTime;
  readonly #manager: ManagerId;
  readonly #gone = new Map<string, DelegateRegistration>();

  constructor(parts: { store: WorkflowStore; clock: Clock; manager: ManagerId }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#time = new StoreTime(parts.store, parts.clock);
    this.#manager = parts.manager;
  }

  came(delegate: DelegateRegistration): void {
    this.#gone.delete(keyOf(delegate));
  }

  went(delegate: DelegateRegistration): void {
    // Last in, so that the oldest come first.
    this.#gone.delete(keyOf(delegate));
    this.#gone.set(keyOf(delegate), { ...delegate, running: 0 });
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > MOST_REMEMBERED && oldest !== undefined) this.#gone.delete(oldest);
  }

  /** Tells the store, by its own time. Rejects where it does not answer. */
  async save(connected: readonly DelegateRegistration[]): Promise<void> {
    const ahead = await this.#time.ahead();
    this.#forget(this.#clock.now());
    const delegates = [...connected, ...this.#gone.values()].map((delegate) => ({
      ...delegate,
      since: this.#time.ofStore(delegate.since, ahead),
      lastSeen: this.#time.ofStore(delegate.lastSeen, ahead),
    }));
    await this.#store.saveDelegates(this.#manager, delegates);
  }

  #forget(now: Instant): void {
    for (const [key, { lastSeen }] of this.#gone) {
      if (after(lastSeen, REMEMBERED) >= now) return;
      this.#gone.delete(key);
    }
  }
}

function keyOf({ delegate, version, tenant }: DelegateRegistration): string {
  return `${version}/${delegate}/${tenant}`;
}
