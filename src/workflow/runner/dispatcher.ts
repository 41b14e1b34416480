/**
 * Gives tasks to the delegates that have a stream to this manager, keeps their leases while they are named, and takes
 * results. Work follows news: a delegate without any costs no more than its heartbeats. Construct it, then `run` it.
 */
import { type Backoff, retryDelay } from '../../model/backoff.ts';
import type { Milliseconds } from '../../model/instant.ts';
import type { TenantName } from '../../model/names.ts';
import type { ExecutionId, Worker } from '../../model/workflow.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClaimedTask, TaskLease, WorkflowStore } from '../../ports/workflow-store.ts';
import { Bell } from './bell.ts';
import { CompatibleVersions } from './compatible.ts';
import { ConnectedDelegate } from './connected-delegate.ts';
import { type Arrival, type DelegateLink, DelegateSession, sortedByAge } from './delegate-session.ts';
import { Registrations } from './registrations.ts';
import { Renewals } from './renewals.ts';
import { Sessions } from './sessions.ts';

export interface DispatcherOptions {
  readonly store: WorkflowStore;
  readonly clock: Clock;
  readonly worker: Worker;
  readonly listener: DispatcherListener;
  /** A delegate that is silent for so long has lost its tasks. Renewed at a quarter of it. Default 30 s. */
  readonly lease?: Milliseconds;
  /** How late it may be for what was delayed. Default 500 ms. */
  readonly pollEvery?: Milliseconds;
  /** How often the store hears of the delegates. Default 5 s. */
  readonly saveEvery?: Milliseconds;
  /** For tasks that failed and may be tried again. Default 1 s to 5 min. */
  readonly backoff?: Backoff;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/** Told of what becomes of tasks; it must not throw. */
export interface DispatcherListener {
  onAssigned(claimed: ClaimedTask): void;
  onFinished(finished: {
    readonly lease: TaskLease;
    readonly outcome: 'Finished' | 'Retried' | 'Duplicate' | 'Superseded';
  }): void;
  /** The store did not answer. */
  onFault(fault: { readonly doing: string; readonly error: unknown }): void;
}

/** Delegates that one claim is for: larger ones would keep the store from others for too long. */
const SLOTS_OF_A_CLAIM = 1_000;
/** After a round of claims the loop rests for this many times as long as it took. */
const RESTS_PER_ROUND = 2;
/** News of so long are served by one claim. */
const GATHERING: Milliseconds = 5;
/** Between two tries to reach a store that does not answer. */
const STORE_BACKOFF: Backoff = { initial: 200, max: 10_000 };
const DEFAULT_BACKOFF: Backoff = { initial: 1_000, max: 300_000 };

export class Dispatcher {
  readonly #options: Required<DispatcherOptions>;
  readonly #compatible: CompatibleVersions;
  readonly #sessions = new Sessions();
  readonly #renewals: Renewals;
  readonly #registrations: Registrations;
  readonly #bell: Bell;
  readonly #saveBell: Bell;
  #anyIsDue = true;

  constructor(options: DispatcherOptions) {
    this.#options = {
      lease: 30_000,
      pollEvery: 500,
      saveEvery: 5_000,
      backoff: DEFAULT_BACKOFF,
      random: Math.random,
      ...options,
    };
    const { store, clock, worker, lease } = this.#options;
    this.#compatible = new CompatibleVersions(store, clock);
    this.#renewals = new Renewals({ store, lease });
    this.#registrations = new Registrations({ store, clock, manager: worker.manager });
    this.#bell = new Bell(clock);
    this.#saveBell = new Bell(clock);
  }

  /** Looks for tasks now: some were created, of one tenant, or nobody knows of whom. */
  wake(tenant?: TenantName): void {
    if (tenant === undefined) this.#anyIsDue = true;
    else this.#sessions.ask(tenant);
    this.#bell.ring();
  }

  /** Tasks of an execution were taken back: those of its delegates that are connected here are told now, not at the next renewal. */
  async tookBack({ tenant, execution }: { tenant: TenantName; execution: ExecutionId }): Promise<void> {
    const named = [...this.#sessions.of(tenant)].flatMap((session) =>
      session.leasesOf(execution).map((lease) => ({ lease, session })),
    );
    if (named.length > 0) await this.#renewing(() => this.#renewals.prolong(named));
  }

  /** Delegates that have a stream to this manager. */
  get connected(): number {
    return this.#sessions.size;
  }

  /** Of all delegates, the places that are taken. */
  get running(): number {
    let running = 0;
    for (const session of this.#sessions.all()) running += session.taken;
    return running;
  }

  /**
   * A delegate has come. Answers what it must stop of what it brought; the rest it goes on with, under its old leases. The
   * same delegate on an older stream is gone by this. Rejects where the store does not answer.
   */
  async connect(
    arrival: Arrival,
    link: DelegateLink,
  ): Promise<{ readonly delegate: ConnectedDelegate; readonly stop: readonly TaskLease[] }> {
    const { clock } = this.#options;
    const versions = await this.#compatible.of(arrival.worker.version);
    const { newest, outdated } = sortedByAge(arrival.running);
    const session = new DelegateSession({ arrival, link, versions, now: clock.now() });
    const renewed = await this.#renewals.renew(newest.map((lease) => session.held(lease)));
    const lost = new Set(renewed.map(({ task }) => task));
    session.adopt(newest.filter(({ task }) => !lost.has(task)));
    const older = this.#sessions.sameAs(session);
    if (older !== undefined && this.#sessions.remove(older)) {
      older.link.end('the delegate came on another stream');
    }
    this.#sessions.add(session);
    this.#registrations.came(session.registration(this.#options.worker.manager));
    this.#saveBell.ring();
    this.#bell.ring();
    return {
      delegate: new ConnectedDelegate({
        session,
        store: this.#options.store,
        clock,
        worker: this.#options.worker,
        backoff: { ofTasks: this.#options.backoff, ofStore: STORE_BACKOFF },
        random: this.#options.random,
        listener: this.#options.listener,
        isConnected: () => this.#sessions.has(session),
        named: (leases) => this.#renewals.add(session, leases),
        hasPlace: () => {
          this.#sessions.hasPlace(session);
          this.#bell.ring();
        },
        left: () => this.#left(session),
      }),
      stop: [...newest.filter(({ task }) => lost.has(task)), ...outdated],
    };
  }

  #left(session: DelegateSession): void {
    if (!this.#sessions.remove(session)) return;
    this.#registrations.went(session.registration(this.#options.worker.manager));
    this.#saveBell.ring();
  }

  /** Works until the signal. Tasks go on with their delegates, which may come to another manager. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.wake();
    const stop = () => {
      this.#bell.ring();
      this.#saveBell.ring();
    };
    const unsubscribe = this.#options.store.subscribe(wake);
    signal.addEventListener('abort', stop, { once: true });
    try {
      await Promise.all([this.#claim(signal), this.#renew(signal), this.#save(signal)]);
    } finally {
      unsubscribe();
      signal.removeEventListener('abort', stop);
    }
  }

  async #claim(signal: AbortSignal): Promise<void> {
    const { pollEvery, random, listener } = this.#options;
    let failures = 0;
    let lastAskedAll = 0;
    while (!signal.aborted) {
      await this.#bell.heard(pollEvery * (0.75 + random() / 2));
      await this.#pause(GATHERING, signal);
      const now = this.#options.clock.now();
      if (this.#anyIsDue || now - lastAskedAll >= pollEvery) {
        this.#anyIsDue = false;
        lastAskedAll = now;
        this.#sessions.ask();
      }
      try {
        await this.#claimForAll(signal);
        failures = 0;
        // News come all the time where much is done, and a round for thousands takes its time: others need the store too.
        await this.#pause((this.#options.clock.now() - now) * RESTS_PER_ROUND, signal);
      } catch (error) {
        failures += 1;
        listener.onFault({ doing: 'claiming tasks', error });
        await this.#pause(retryDelay({ ...STORE_BACKOFF, failures, random: random() }), signal);
        this.wake();
      }
    }
  }

  async #claimForAll(signal: AbortSignal): Promise<void> {
    const { store, worker, lease } = this.#options;
    while (!signal.aborted) {
      const asked = this.#sessions.next(SLOTS_OF_A_CLAIM);
      if (asked.length === 0) return;
      const claimed = await store.claimTasks({ worker, slots: asked.map(({ slots }) => slots), lease });
      for (const each of claimed) await this.#hand(each);
    }
  }

  async #hand(claimed: ClaimedTask): Promise<void> {
    const { store, listener } = this.#options;
    const receiver = this.#sessions.receiver(claimed);
    if (receiver?.take(claimed) === true) {
      receiver.link.assign(claimed);
      listener.onAssigned(claimed);
      return;
    }
    // It left, or takes less than before, while the store looked.
    const { id, tenant, version } = claimed.task;
    await store.returnTask({ task: id, token: claimed.lease.token, tenant, versions: [version] });
    this.wake();
  }

  async #renew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#pause(this.#options.lease / 4, signal);
      this.#endSilent();
      await this.#renewing(() => this.#renewals.flush());
    }
  }

  async #renewing(renew: () => Promise<void>): Promise<void> {
    try {
      await renew();
    } catch (error) {
      this.#options.listener.onFault({ doing: 'renewing leases of tasks', error });
    }
  }

  /** A network that was cut tells nobody: who has been silent for a lease has no stream. */
  #endSilent(): void {
    const { clock, lease } = this.#options;
    const silentSince = clock.now() - lease;
    for (const session of [...this.#sessions.all()].filter(({ lastSeen }) => lastSeen < silentSince)) {
      this.#left(session);
      session.link.end(`nothing was heard for ${lease} ms`);
    }
  }

  async #save(signal: AbortSignal): Promise<void> {
    const { saveEvery, listener, worker } = this.#options;
    for (;;) {
      await this.#saveBell.heard(saveEvery);
      // Thousands may come at once: those of a while are one write.
      await this.#pause(saveEvery / 10, signal);
      try {
        const connected = [...this.#sessions.all()].map((session) => session.registration(worker.manager));
        await this.#registrations.save(connected);
      } catch (error) {
        listener.onFault({ doing: 'saving who is connected', error });
      }
      if (signal.aborted) return;
    }
  }

  async #pause(length: Milliseconds, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(length, signal).catch(() => {});
  }
}
