/**
 * Who the proxies are and how far each has come: the connected ones from the publisher, those that went away from
 * memory and the store. A proxy that went away is a straggler for the grace time (rule 5); removals wait for it.
 */
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { ProxyView, Straggler } from '../operations/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProxyProgress, Publisher } from '../ports/publisher.ts';
import type { ProxySeen, Store } from '../ports/store.ts';

export class ProxyTracker {
  readonly #publisher: Publisher;
  readonly #clock: Clock;
  readonly #grace: Milliseconds;
  readonly #away = new Map<string, ProxySeen>();
  readonly #listeners = new Set<() => void>();
  #connected: ReadonlyMap<string, ProxyProgress> = new Map();

  constructor(options: {
    publisher: Publisher;
    clock: Clock;
    grace: Milliseconds;
    stored: readonly ProxySeen[];
  }) {
    this.#publisher = options.publisher;
    this.#clock = options.clock;
    this.#grace = options.grace;
    for (const seen of options.stored) this.#away.set(seen.id, seen);
  }

  /** Follows the publisher until the returned function is called. */
  follow(): () => void {
    return this.#publisher.subscribe(() => this.refresh());
  }

  /** Calls back after each refresh. Returns the way to stop that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The connected proxies. */
  connected(): readonly ProxyProgress[] {
    return [...this.#connected.values()];
  }

  /** Takes over what the publisher knows now. */
  refresh(): void {
    const now = this.#clock.now();
    const connected = new Map(this.#publisher.progress().proxies.map((proxy) => [proxy.id, proxy]));
    for (const [id, proxy] of this.#connected) {
      if (!connected.has(id)) this.#away.set(id, seenOf(proxy, now));
    }
    for (const id of connected.keys()) this.#away.delete(id);
    this.#connected = connected;
    this.#notify();
  }

  /** Forgets proxies that have been away for the grace time. */
  expire(): void {
    const now = this.#clock.now();
    const before = this.#away.size;
    for (const [id, { lastSeen }] of this.#away) {
      if (after(lastSeen, this.#grace) <= now) this.#away.delete(id);
    }
    if (this.#away.size < before) this.#notify();
  }

  /** The proxies that keep `publication` from being everywhere: `routes` for a flip, `all` for a removal. */
  stragglers(publication: number, what: 'routes' | 'all'): readonly Straggler[] {
    const behind = [...this.#connected.values()]
      .filter((proxy) => (what === 'routes' ? proxy.routesPublication : proxy.publication) < publication)
      .map((proxy) => connectedStraggler(proxy, what));
    const away = [...this.#away.values()]
      .filter((seen) => seen.publication < publication)
      .map(
        (seen): Straggler => ({
          proxy: seen.id,
          kind: 'Away',
          publication: seen.publication,
          message: `not connected since ${new Date(seen.lastSeen).toISOString()}`,
        }),
      );
    return [...behind, ...away];
  }

  /** All known proxies, sorted by id. */
  views(): readonly ProxyView[] {
    const current = this.#publisher.progress().publication;
    const connected = [...this.#connected.values()].map(
      (proxy): ProxyView => ({
        id: proxy.id,
        kind: proxy.kind,
        connected: true,
        inSync: proxy.publication >= current && proxy.types.every(({ rejection }) => rejection === undefined),
        lastSeen: proxy.lastSeen,
        publication: proxy.publication,
        progress: proxy,
      }),
    );
    const away = [...this.#away.values()].map(
      ({ id, kind, lastSeen, publication }): ProxyView => ({
        id,
        kind,
        connected: false,
        inSync: false,
        lastSeen,
        publication,
      }),
    );
    return [...connected, ...away].toSorted((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** Writes last-seen times, so that a restart knows the stragglers. */
  async save(store: Store): Promise<void> {
    const now = this.#clock.now();
    const connected = [...this.#connected.values()].map((proxy) => seenOf(proxy, now));
    await store.saveProxies([...connected, ...this.#away.values()]);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

function seenOf(proxy: ProxyProgress, now: Instant): ProxySeen {
  return { id: proxy.id, kind: proxy.kind, lastSeen: now, publication: proxy.publication };
}

function connectedStraggler(proxy: ProxyProgress, what: 'routes' | 'all'): Straggler {
  const rejected = proxy.types.find(({ rejection }) => rejection !== undefined);
  const publication = what === 'routes' ? proxy.routesPublication : proxy.publication;
  if (rejected?.rejection !== undefined) {
    return {
      proxy: proxy.id,
      kind: 'Rejected',
      publication,
      message: `rejected ${rejected.type}: ${rejected.rejection.message}`,
    };
  }
  return {
    proxy: proxy.id,
    kind: 'Behind',
    publication,
    message: `has acknowledged publication ${publication}`,
  };
}
