/** Keeps what the store knows of a manager's delegates fresh: all of them at once, now and then, whoever had news. */
import { after, type Instant, instant, type Milliseconds } from '../../model/instant.ts';
import type { DelegateRegistration, ManagerId } from '../../model/workflow.ts';
import type { Clock } from '../../ports/clock.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';

/** One that has gone is still told of, as last seen: a rollout counts those of the last day. */
const REMEMBERED: Milliseconds = 24 * 3_600_000;

export class Registrations {
  readonly #store: WorkflowStore;
  readonly #clock: Clock;
  readonly #manager: ManagerId;
  readonly #gone = new Map<string, DelegateRegistration>();

  constructor(parts: { store: WorkflowStore; clock: Clock; manager: ManagerId }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#manager = parts.manager;
  }

  came(delegate: DelegateRegistration): void {
    this.#gone.delete(keyOf(delegate));
  }

  went(delegate: DelegateRegistration): void {
    // Last in, so that the oldest come first.
    this.#gone.delete(keyOf(delegate));
    this.#gone.set(keyOf(delegate), { ...delegate, running: 0 });
  }

  /** Tells the store, by its own time. Rejects where it does not answer. */
  async save(connected: readonly DelegateRegistration[]): Promise<void> {
    const ours = this.#clock.now();
    const ahead = (await this.#store.now()) - ours;
    this.#forget(ours);
    const delegates = [...connected, ...this.#gone.values()].map((delegate) => ({
      ...delegate,
      since: moved(delegate.since, ahead),
      lastSeen: moved(delegate.lastSeen, ahead),
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

function moved(at: Instant, by: Milliseconds): Instant {
  return instant(Math.max(0, at + by));
}

function keyOf({ delegate, version, tenant }: DelegateRegistration): string {
  return `${version}/${delegate}/${tenant}`;
}
