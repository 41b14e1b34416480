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
/** When a connected one was last seen is told this often: it counts as connected for much longer. */
const SEEN_TOLD: Milliseconds = 30_000;

/** What was told of a delegate: by our time, and by that of the store. */
interface Told {
  readonly ours: DelegateRegistration;
  readonly stored: DelegateRegistration;
}

export class Registrations {
  readonly #store: WorkflowStore;
  readonly #clock: Clock;
  readonly #time: StoreTime;
  readonly #manager: ManagerId;
  readonly #gone = new Map<string, DelegateRegistration>();
  #told: ReadonlyMap<string, Told> = new Map();

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

  /** Tells the store, by its own time; of whom there is no news, exactly what it has. Rejects where it does not answer. */
  async save(connected: readonly DelegateRegistration[]): Promise<void> {
    const ahead = await this.#time.ahead();
    this.#forget(this.#clock.now());
    const told = new Map<string, Told>();
    for (const ours of [...connected, ...this.#gone.values()]) {
      const key = keyOf(ours);
      const before = this.#told.get(key);
      told.set(key, before !== undefined && !isNews(before.ours, ours) ? before : this.#tell(ours, ahead));
    }
    await this.#store.saveDelegates(
      this.#manager,
      [...told.values()].map(({ stored }) => stored),
    );
    this.#told = told;
  }

  #tell(ours: DelegateRegistration, ahead: Milliseconds): Told {
    const since = this.#time.ofStore(ours.since, ahead);
    return { ours, stored: { ...ours, since, lastSeen: this.#time.ofStore(ours.lastSeen, ahead) } };
  }

  #forget(now: Instant): void {
    for (const [key, { lastSeen }] of this.#gone) {
      if (after(lastSeen, REMEMBERED) >= now) return;
      this.#gone.delete(key);
    }
  }
}

/** Whether the store should hear it. Thousands send heartbeats all the time, and each is one row. */
function isNews(told: DelegateRegistration, now: DelegateRegistration): boolean {
  return (
    told.since !== now.since ||
    told.capacity !== now.capacity ||
    told.running !== now.running ||
    told.tags !== now.tags ||
    after(told.lastSeen, SEEN_TOLD) <= now.lastSeen
  );
}

function keyOf({ delegate, version, tenant }: DelegateRegistration): string {
  return `${version}/${delegate}/${tenant}`;
}
