/** One delegate as the manager's network side sees it: what it says goes in here. */
import { type Backoff, retryDelay } from '../../model/backoff.ts';
import type { TaskOutcome, Worker } from '../../model/workflow.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type FinishOutcome,
  PayloadTooLargeError,
  type TaskLease,
  type WorkflowStore,
} from '../../ports/workflow-store.ts';
import type { DelegateSession } from './delegate-session.ts';
import type { DispatcherListener } from './dispatcher.ts';

interface Parts {
  readonly session: DelegateSession;
  readonly store: WorkflowStore;
  readonly clock: Clock;
  readonly worker: Worker;
  readonly backoff: { readonly ofTasks: Backoff; readonly ofStore: Backoff };
  readonly random: () => number;
  readonly listener: DispatcherListener;
  readonly isConnected: () => boolean;
  readonly named: (leases: readonly TaskLease[]) => void;
  readonly hasPlace: () => void;
  readonly left: () => void;
}

export class ConnectedDelegate {
  readonly #parts: Parts;
  #finishing = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What it has and takes now. Leases that it names are prolonged; those that it does not name run out. */
  heartbeat(said: { readonly capacity: number; readonly running: readonly TaskLease[] }): void {
    const { session, clock, named, hasPlace, listener } = this.#parts;
    const { renew, outdated, refused } = session.heard({ ...said, now: clock.now() });
    named(renew);
    for (const lease of refused) {
      this.decline(lease).catch((error: unknown) => {
        listener.onFault({ doing: `returning task ${lease.task}`, error });
      });
    }
    for (const lease of outdated) {
      if (session.stopping(lease)) session.link.stop(lease, 'it was given anew');
    }
    if (session.free > 0) hasPlace();
  }

  /** Results that it brought and that the store has not answered for yet. */
  get finishing(): number {
    return this.#finishing;
  }

  /**
   * Takes a result, as often as it comes; the delegate may forget it once this resolves. Tries on while the store does not
   * answer; undefined: the delegate left before that, and brings the result again.
   */
  async finish(lease: TaskLease, outcome: TaskOutcome): Promise<FinishOutcome | undefined> {
    this.#finishing += 1;
    try {
      return await this.#finish(lease, outcome);
    } finally {
      this.#finishing -= 1;
    }
  }

  async #finish(lease: TaskLease, outcome: TaskOutcome): Promise<FinishOutcome | undefined> {
    const { session, clock, isConnected, listener, hasPlace, backoff, random } = this.#parts;
    session.lastSeen = clock.now();
    const attempt = session.task(lease)?.attempt ?? 1;
    for (let failures = 1; ; failures += 1) {
      try {
        const finished = await this.#store(lease, outcome, attempt);
        session.release(lease);
        hasPlace();
        listener.onFinished({ lease, outcome: finished });
        return finished;
      } catch (error) {
        listener.onFault({ doing: `taking the result of task ${lease.task}`, error });
        await clock.sleep(
          retryDelay({ ...backoff.ofStore, failures, random: random() }),
          new AbortController().signal,
        );
        if (!isConnected()) return undefined;
      }
    }
  }

  async #store(lease: TaskLease, outcome: TaskOutcome, attempt: number): Promise<FinishOutcome> {
    const { store, worker, session, backoff, random } = this.#parts;
    const request = {
      lease: session.held(lease),
      worker,
      delegate: session.arrival.worker,
      backoff: retryDelay({ ...backoff.ofTasks, failures: attempt, random: random() }),
    };
    try {
      return await store.finishTask({ ...request, outcome });
    } catch (error) {
      if (!(error instanceof PayloadTooLargeError)) throw error;
      // It would be no smaller the next time.
      return store.finishTask({
        ...request,
        outcome: { kind: 'Failed', error: error.message, retryable: false },
      });
    }
  }

  /**
   * It did not begin the task and never will. Rejects where the store does not answer; then the lease runs out. Its place
   * counts again from the next poll on, so that the same task does not come and go all the time.
   */
  async decline(lease: TaskLease): Promise<void> {
    const { session, store } = this.#parts;
    session.release(lease);
    await store.returnTask(session.held(lease));
  }

  /** Whether the task is known to be its own: what it tells of others is not to be believed. */
  owns(lease: TaskLease): boolean {
    return this.#parts.session.owns(lease);
  }

  /** Its stream has ended. */
  leave(): void {
    this.#parts.left();
  }
}
