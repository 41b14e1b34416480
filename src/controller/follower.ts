/**
 * A replica that does not lead: it decides nothing and writes nothing. It shows its proxies what the leader has recorded,
 * with the endpoints of its own observation, and stays on what it shows where it knows no ready endpoint yet of a version
 * that would get default traffic, or where it led before and knows less of the records now than it had shown then.
 */
import type { Instance } from '../model/instance.ts';
import type { ServiceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Publisher } from '../ports/publisher.ts';
import type { RoutingView } from '../ports/routing-view.ts';
import { heldBack } from '../routing/hold-back.ts';
import { EndpointChanges } from './endpoint-changes.ts';
import type { LoopLog } from './loop.ts';
import { instancesOf, type RuntimeSet, settled, wantVersions } from './runtimes.ts';
import { Tables } from './tables.ts';

/** A publisher whose numbers are those of commits, as the leader has them. */
export interface FollowingPublisher extends Publisher {
  /** Says that the table that is published shows this commit too. */
  stillShows(commit: number): void;
}

export interface FollowerOptions {
  readonly state: RoutingView;
  readonly runtimes: RuntimeSet;
  readonly publisher: FollowingPublisher;
  readonly clock: Clock;
  readonly log: LoopLog;
  /**
   * The newest commit that the proxies were shown while this replica led; 0 where it never did. What it wrote itself comes back to
   * it by its own watches, which may be late or cut off.
   */
  readonly shownBefore: number;
}

/** A record whose runtime was told of it. */
interface Observed {
  readonly record: ServiceRecord;
  /** Whether its instances have been looked at once. */
  readonly isSettled: boolean;
}

export class Follower {
  readonly #options: FollowerOptions;
  readonly #tables: Tables;
  readonly #endpointChanges: EndpointChanges;
  readonly #held = new Map<ServiceName, string>();
  readonly #observed = new Map<ServiceName, Observed>();
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: (() => void)[] = [];
  #isStopped = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#tables = new Tables(
      (record) => instancesOf(options.runtimes, record),
      (shown, wanted, instances) => this.#choose(shown, wanted, instances),
    );
    this.#endpointChanges = new EndpointChanges({ clock: options.clock, publish: () => this.#publish() });
  }

  /** What is not shown yet, and why; sorted. Empty where all is. */
  heldBack(): readonly string[] {
    const { state, shownBefore } = this.#options;
    if (this.#isBehind)
      return [
        `this replica knows the records up to commit ${state.publication}, and its proxies were shown commit ${shownBefore} while it led`,
      ];
    return [...this.#held.values()].toSorted();
  }

  /** What is recorded, as far as it is known here, is older than what proxies have: it would move them back. */
  get #isBehind(): boolean {
    return this.#options.state.publication < this.#options.shownBefore;
  }

  /** Calls back after what is shown or held back may have changed. Returns the way to stop that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows until stopped. */
  start(): void {
    const { state, runtimes } = this.#options;
    for (const runtime of Object.values(runtimes))
      this.#unsubscribe.push(runtime.subscribe((service) => this.#instancesChanged(service)));
    this.#unsubscribe.push(state.subscribe(() => this.#stateChanged()));
    this.#stateChanged();
  }

  /** Shows nothing new any more. */
  stop(): void {
    this.#isStopped = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#endpointChanges.stop();
  }

  #stateChanged(): void {
    const { state } = this.#options;
    if (!state.isSynced) return;
    const records = recordsOf(state);
    for (const name of this.#observed.keys()) if (!records.has(name)) this.#observed.delete(name);
    for (const record of records.values())
      if (this.#observed.get(record.name)?.record !== record) void this.#observe(record);
    this.#publish();
  }

  /** A service that is new here is shown when its instances have been looked at. */
  async #observe(record: ServiceRecord): Promise<void> {
    const { runtimes, log } = this.#options;
    const isSettled = this.#observed.get(record.name)?.isSettled === true;
    this.#observed.set(record.name, { record, isSettled });
    try {
      await wantVersions(runtimes, record);
      if (isSettled) return;
      await settled(runtimes, record);
      const newest = this.#observed.get(record.name);
      if (newest !== undefined) this.#observed.set(record.name, { ...newest, isSettled: true });
      this.#publish();
    } catch (error) {
      this.#observed.delete(record.name);
      log.warn({ service: record.name, error: String(error) }, 'its instances could not be looked at');
    }
  }

  #instancesChanged(service: ServiceName): void {
    const record = this.#observed.get(service)?.record;
    if (record === undefined) return;
    this.#tables.instancesChanged(service);
    this.#endpointChanges.changed(service, instancesOf(this.#options.runtimes, record));
  }

  #choose(
    shown: ServiceRecord | undefined,
    wanted: ServiceRecord,
    instances: readonly Instance[],
  ): ServiceRecord {
    const why = shown === undefined ? undefined : heldBack(shown, wanted, instances);
    if (why === undefined) this.#held.delete(wanted.name);
    else this.#held.set(wanted.name, why);
    return why === undefined || shown === undefined ? wanted : shown;
  }

  #publish(): void {
    const { state, publisher, log } = this.#options;
    if (this.#isStopped || !state.isSynced || !state.everWritten) return;
    if (this.#isBehind) {
      for (const listener of this.#listeners) listener();
      return;
    }
    const records = recordsOf(state);
    const known = new Map([...records].filter(([name]) => this.#observed.get(name)?.isSettled === true));
    const before = publisher.progress().publication;
    // Proxies that come first must not be told that a service is gone.
    if (before === 0 && known.size < records.size) return;
    for (const name of this.#held.keys()) if (!records.has(name)) this.#held.delete(name);
    try {
      const changed = this.#tables.rebuild(known);
      // Whoever waits for this commit must see that proxies here do not have it yet.
      const isComplete = this.#held.size === 0 && known.size === records.size;
      const number = isComplete ? Math.max(state.publication, 1) : before;
      if (changed || before === 0) publisher.publish({ number, table: this.#tables.table });
      else publisher.stillShows(number);
    } catch (error) {
      log.warn({ error: String(error) }, 'publishing failed; proxies keep what they have');
    }
    for (const listener of this.#listeners) listener();
  }
}

function recordsOf(state: RoutingView): ReadonlyMap<ServiceName, ServiceRecord> {
  return new Map(state.services().map(({ record }) => [record.name, record]));
}
