/** The records as a follower sees them: two caches that follow the API server, and what of them is to be shown. */
import type { ServiceName } from '../../../model/names.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { RoutedService, RoutingView } from '../../../ports/routing-view.ts';
import { Reflector, type ReflectorObserver, type Source } from '../client/reflector.ts';
import { type Routing, type RoutingObject, routingOf } from './routing-object.ts';
import { NOTHING_SHOWN, nextShown, type Shown } from './shown.ts';
import { COUNTERS, type Counters, readCounters, type StateObject } from './state-object.ts';

export interface RoutingViewOptions {
  /** All ServiceRoutings of the namespace. */
  readonly routings: Source<RoutingObject>;
  /** The ControllerStates of it that have COUNTERS_SELECTOR. */
  readonly counters: Source<StateObject>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly observer?: ReflectorObserver;
}

/** What was made of an object at one of its versions. */
type Read = { readonly version: string } & ({ readonly routing: Routing } | { readonly fault: string });

export class KubernetesRoutingView implements RoutingView {
  readonly #routings: Reflector<RoutingObject>;
  readonly #counters: Reflector<StateObject>;
  readonly #listeners = new Set<() => void>();
  #read: ReadonlyMap<string, Read> = new Map();
  #shown: Shown = NOTHING_SHOWN;
  #isSynced = false;
  #everWritten = false;
  /** The newest deletion, and the resource version of the counters when it was first seen. */
  #deletion = { publication: 0, at: '' };
  #fault = '';

  constructor({ routings, counters, ...shared }: RoutingViewOptions) {
    const onChange = (): void => this.#update();
    this.#routings = new Reflector({ ...shared, source: routings, onChange });
    this.#counters = new Reflector({ ...shared, source: counters, onChange });
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  get everWritten(): boolean {
    return this.#everWritten;
  }

  services(): readonly RoutedService[] {
    return [...this.#shown.routings.values()]
      .map(({ record, publication }) => ({ record, publication }))
      .toSorted((one, other) => (one.record.name < other.record.name ? -1 : 1));
  }

  get publication(): number {
    return this.#shown.publication;
  }

  get term(): number {
    return Math.max(-1, ...[...this.#shown.routings.values()].map(({ term }) => term));
  }

  get trouble(): string {
    const { incomplete, older } = this.#shown;
    return [
      this.#routings.standing.trouble,
      this.#counters.standing.trouble,
      this.#fault,
      ...incomplete.map(
        (name) => `ServiceRouting ${name} is not there yet, or not with all that belongs to it`,
      ),
      ...older.map(
        (name) =>
          `ServiceRouting ${name} is older than what is shown: restart this replica if it was restored`,
      ),
      ...[...this.#read.values()].flatMap((read) => ('fault' in read ? [read.fault] : [])),
    ]
      .filter((sentence) => sentence !== '')
      .join('; ');
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to follow. Resolves when everything was read once, which does not mean that it is whole; never rejects. */
  async start(): Promise<void> {
    await Promise.all([this.#routings.start(), this.#counters.start()]);
  }

  /** Resolves when nothing is read any more. What was shown stays. */
  async stop(): Promise<void> {
    await Promise.all([this.#routings.stop(), this.#counters.stop()]);
  }

  #update(): void {
    if (!this.#routings.standing.isSynced || !this.#counters.standing.isSynced) return;
    const objects = [...this.#routings.objects.values()];
    this.#read = new Map(objects.map((object) => [object.metadata.name, this.#readOnce(object)]));
    const counters = this.#countersNow();
    // Without counters nobody has recorded anything, or a leader must count first what was put back without them.
    if (counters === undefined && (this.#isSynced || objects.length > 0)) {
      this.#fault ||= `ControllerState ${COUNTERS} is not there; what is shown stays until it is`;
      return;
    }
    const shown = nextShown({
      before: this.#shown,
      routings: new Map(
        [...this.#read.values()].flatMap((read) =>
          'routing' in read ? [[read.routing.record.name, read.routing]] : [],
        ),
      ),
      services: counters?.services.map(({ name }) => name) ?? [],
      lastDeletion: this.#lastDeletion(counters),
    });
    const wasSynced = this.#isSynced;
    const isChanged =
      shown.publication !== this.#shown.publication || !isSame(shown.routings, this.#shown.routings);
    this.#shown = shown;
    this.#everWritten ||= counters?.everWritten === true;
    this.#isSynced ||= shown.incomplete.length === 0;
    if (this.#isSynced && (isChanged || !wasSynced)) for (const listener of this.#listeners) listener();
  }

  /**
   * A deletion counts when the records have come as far as it: the counters come by a way of their own, which may be ahead.
   * Resource versions of one API server can be compared (KEP-5504).
   */
  #lastDeletion({ lastDeletion = 0 }: Partial<Counters> = {}): number {
    if (this.#deletion.publication !== lastDeletion) {
      const [object] = this.#counters.objects.values();
      const { resourceVersion = '' } = object?.metadata ?? {};
      this.#deletion = { publication: lastDeletion, at: resourceVersion };
    }
    return isAtLeast(this.#routings.position, this.#deletion.at) ? lastDeletion : 0;
  }

  #readOnce(object: RoutingObject): Read {
    const { name, resourceVersion: version = '' } = object.metadata;
    const known = this.#read.get(name);
    if (known?.version === version) return known;
    try {
      return { version, routing: routingOf(object) };
    } catch (error) {
      return { version, fault: (error as Error).message };
    }
  }

  #countersNow(): Counters | undefined {
    const [object] = this.#counters.objects.values();
    this.#fault = '';
    if (object === undefined) return undefined;
    try {
      return readCounters(object);
    } catch (error) {
      this.#fault = (error as Error).message;
      return undefined;
    }
  }
}

function isSame(one: ReadonlyMap<ServiceName, Routing>, other: ReadonlyMap<ServiceName, Routing>): boolean {
  return one.size === other.size && [...one].every(([name, routing]) => other.get(name) === routing);
}

/** False where the one or the other is no number. */
function isAtLeast(position: string, wanted: string): boolean {
  const isNumber = (text: string): boolean => /^\d{1,30}$/.test(text);
  return isNumber(position) && isNumber(wanted) && BigInt(position) >= BigInt(wanted);
}
