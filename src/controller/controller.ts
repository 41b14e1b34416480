/**
 * The controller: loads what is recorded, follows runtimes and proxies, and keeps the loop going. It knows ports
 * only; main wires the adapters. Nothing reaches a proxy before the stored state is loaded and the instances that
 * already run have been looked at (rule 7).
 */
import type { Milliseconds } from '../model/instant.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { WatcherSeen } from '../ports/store.ts';
import type { Observation } from '../rollout/observation.ts';
import { Activities } from './activities.ts';
import { Barriers } from './barriers.ts';
import { EndpointChanges } from './endpoint-changes.ts';
import { Fleet } from './fleet.ts';
import { FleetChanges } from './fleet-changes.ts';
import { GoalStates } from './goal-states.ts';
import { Ledger } from './ledger.ts';
import { Loop } from './loop.ts';
import { Measurements } from './measurements.ts';
import { CommandsNotAllowedError, type ControllerOptions } from './options.ts';
import { ProxyTracker } from './proxies.ts';
import { Publications } from './publications.ts';
import { Rosters } from './rosters.ts';
import { observe, type RoundParts } from './round.ts';
import { forgetUnknown, instancesOf, settled, wantVersions } from './runtimes.ts';

const PROXY_GRACE: Milliseconds = 10 * 60_000;
const TICK: Milliseconds = 1_000;
const PROXY_SAVE_TICKS = 5;
const ACTIVITY_TIMEOUT: Milliseconds = 5_000;

export class Controller {
  readonly options: ControllerOptions;
  readonly ledger: Ledger;
  readonly publications: Publications;
  readonly proxies: ProxyTracker;
  readonly activities: Activities;
  readonly measurements: Measurements;
  /** The watchers of the delegates' boxes. */
  readonly fleet: Fleet;
  /** What the delegate sources said. */
  readonly rosters: Rosters;
  readonly goalStates = new GoalStates();
  readonly #fleetChanges: FleetChanges;
  readonly #barriers: Barriers;
  readonly #roundParts: RoundParts;
  readonly #loop: Loop;
  readonly #endpointChanges: EndpointChanges;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #stop = new AbortController();
  #ticking: Promise<void> = Promise.resolve();

  private constructor(options: ControllerOptions, ledger: Ledger, watchers: readonly WatcherSeen[]) {
    const { clock, runtimes } = options;
    this.options = options;
    this.ledger = ledger;
    this.publications = new Publications({
      ...options,
      ledger,
      instancesOf: (record) => instancesOf(runtimes, record),
    });
    this.proxies = new ProxyTracker({
      ...options,
      grace: options.proxyGrace ?? PROXY_GRACE,
      stored: ledger.storedProxies,
    });
    this.activities = new Activities({
      workSource: options.workSource,
      clock,
      log: options.log,
      timeout: ACTIVITY_TIMEOUT,
      wake: () => this.wake(),
    });
    this.measurements = new Measurements({ ...options, wake: (service) => this.wake(service) });
    this.fleet = new Fleet({
      clock,
      stored: watchers,
      isService: (name) => ledger.records().has(name),
      offer: (watcher, sent) => this.goalStates.offer(watcher, sent),
      changed: (service) => this.#fleetChanges.changed(service),
    });
    this.#fleetChanges = new FleetChanges({
      clock,
      act: (service) => {
        this.#notify();
        return this.#loop.wake(service);
      },
    });
    this.rosters = new Rosters({ ...options, wake: (service) => this.wake(service) });
    const { proxies, publications, activities, measurements, fleet, rosters, goalStates } = this;
    this.#barriers = new Barriers({ ...options, publications, proxies });
    this.#roundParts = {
      ...options,
      ledger,
      publications,
      proxies,
      activities,
      measurements,
      barriers: this.#barriers,
      fleet,
      rosters,
      goalStates,
    };
    this.#loop = new Loop(this.#roundParts, options.log, options.observeRounds);
    this.#endpointChanges = new EndpointChanges({ clock, publish: () => this.#publish() });
    // First of all listeners: whoever hears of a commit finds it published.
    ledger.subscribe(() => this.#publish());
  }

  /**
   * Loads the store. Rejects where it cannot be read, or with CommandsNotAllowedError where it holds commands that may
   * not run; nothing was started then.
   */
  static async open(options: ControllerOptions): Promise<Controller> {
    const ledger = await Ledger.open(options.store, options.isReplicated);
    const withCommands = [...ledger.records().values()].filter(
      ({ spec }) => spec.runtime.kind === 'processes',
    );
    if (options.allowCommands !== true && withCommands.length > 0) {
      throw new CommandsNotAllowedError(withCommands.map(({ name }) => name));
    }
    const controller = new Controller(options, ledger, await options.store.watchers());
    await controller.measurements.load(ledger.records().values());
    return controller;
  }

  /** Starts what should run, waits until what already ran is known, publishes, and goes on until stopped. */
  async start(): Promise<void> {
    const { runtimes } = this.options;
    const records = this.ledger.records();
    await Promise.all([...records.values()].map((record) => wantVersions(runtimes, record)));
    await Promise.all([...records.values()].map((record) => settled(runtimes, record)));
    for (const runtime of Object.values(runtimes)) {
      this.#unsubscribe.push(runtime.subscribe((service) => this.#instancesChanged(service)));
    }
    this.#unsubscribe.push(
      this.proxies.follow(),
      this.proxies.subscribe(() => this.#proxiesChanged()),
      this.ledger.subscribe(() => this.#notify()),
      this.options.primaryServices?.subscribe((service) => this.wake(service)) ?? (() => undefined),
      this.options.gatewayRoutes?.subscribe((service) => {
        this.wake(service);
        this.#notify();
      }) ?? (() => undefined),
    );
    if (this.ledger.everWritten || this.options.acceptEmpty === true) {
      this.openPublications();
      // A crash within a deletion left instances; a proxy may still route to them.
      this.#whenFollowed(this.publications.number, () => forgetUnknown(this.options, this.ledger.records()));
    }
    this.wake();
    this.#ticking = this.#tick();
  }

  /** From here on proxies are told: after a start with stored state, or after the first apply. */
  openPublications(): void {
    this.publications.open();
    this.publications.publish();
  }

  /** Shows proxies what is recorded. Returns the publication that does; a failure is logged, the record stands. */
  publish(): number {
    this.#publish();
    return this.publications.number;
  }

  /** Stops the instances of a deleted service when no proxy can route to them any more. */
  forgetWhenUnrouted(record: ServiceRecord, publication: number): void {
    this.#whenFollowed(publication, async () => {
      if (this.ledger.records().has(record.name)) return;
      await this.options.runtimes[record.spec.runtime.kind]?.forget(record.name);
    });
  }

  /** What the work source said last of a version, where it could not confirm or count; empty where all is well. */
  workProblem(record: ServiceRecord, version: VersionName): string {
    return this.activities.observations(record).get(version)?.problem ?? '';
  }

  /** What the plan would be told of a service now. */
  observe(record: ServiceRecord): Observation {
    return observe(this.#roundParts, record);
  }

  /** Plans for one service or for all. */
  wake(service?: ServiceName): void {
    void this.#loop.wake(service);
  }

  /** Calls back after any change that a view could show. Returns the way to stop that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Plans no more, so that what was stopped on purpose stays stopped; proxies are still served. */
  async pause(): Promise<void> {
    await this.#loop.stop();
  }

  /** Ends the loop and saves who was connected. Instances go on running. */
  async stop(): Promise<void> {
    this.#stop.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#endpointChanges.stop();
    this.activities.stop();
    this.rosters.stop();
    this.#fleetChanges.stop();
    this.measurements.stop();
    await this.#loop.stop();
    await this.#ticking;
    await this.proxies.save(this.options.store);
    await this.fleet.save(this.options.store);
  }

  /** Acts once every proxy, those away within the grace time included, has acknowledged a publication. */
  #whenFollowed(publication: number, act: () => Promise<void>): void {
    const look = (): void => {
      if (this.#stop.signal.aborted || this.proxies.stragglers(publication, 'all').length > 0) return;
      unsubscribe();
      act().catch((error: unknown) => this.#complain(error));
    };
    const unsubscribe = this.proxies.subscribe(look);
    this.#unsubscribe.push(unsubscribe);
    look();
  }

  #instancesChanged(service: ServiceName): void {
    const record = this.ledger.records().get(service);
    if (record === undefined) return;
    this.publications.instancesChanged(service);
    this.#endpointChanges.changed(service, instancesOf(this.options.runtimes, record));
    this.wake(service);
    this.#notify();
  }

  #proxiesChanged(): void {
    for (const record of this.ledger.records().values()) {
      const { rollout } = record;
      const isShifting =
        rollout !== undefined && isOpen(rollout.state) && rollout.stepEverywhere === undefined;
      if (isShifting) this.#barriers.look(record.name);
      const waits = record.versions.some(
        ({ state, retirement }) => retirement !== undefined || state === 'Draining',
      );
      if (waits || isShifting) this.wake(record.name);
    }
    this.#notify();
  }

  #publish(): void {
    try {
      this.publications.publish();
      if (this.ledger.needsNumbers)
        void this.ledger.reserveNumbers().catch((error: unknown) => this.#complain(error));
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    this.options.log.warn({ error: String(error) }, 'failed; proxies keep what they have');
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }

  async #tick(): Promise<void> {
    const { signal } = this.#stop;
    for (let ticks = 1; !signal.aborted; ticks += 1) {
      try {
        await this.options.clock.sleep(TICK, signal);
      } catch {
        return;
      }
      this.proxies.expire();
      this.fleet.expire();
      this.wake();
      if (ticks % PROXY_SAVE_TICKS === 0) {
        await this.proxies.save(this.options.store).catch((error: unknown) => {
          this.options.log.warn(
            { error: String(error) },
            'saving the proxies failed; a restart may forget some',
          );
        });
        await this.fleet.save(this.options.store).catch((error: unknown) => {
          this.options.log.warn(
            { error: String(error) },
            'saving the watchers failed; a restart may forget some',
          );
        });
      }
    }
  }
}
