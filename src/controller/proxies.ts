/**
 * Who the proxies are and how far each has come: the connected ones from the publisher, those that went away from
 * memory and the store. A proxy that went away is a straggler for the grace time (rule 5); removals wait for it.
 * A proxy is its node id: one that came back over a new connection is not away, though its old connection ended later.
 */
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { ProxyView, Straggler } from '../operations/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProxyProgress, Publisher } from '../ports/publisher.ts';
import type { ProxySeen, Store } from '../ports/store.ts';
import { PastRejections } from './past-rejections.ts';

/** How many proxies that went away are known; the one that went first is forgotten first. */
const AWAY_LIMIT = 10_000;

/**
 * How long two connections may have one node id before that is told: until then the older one may be what is left of
 * the same proxy, since a dead connection is noticed after 20 s.
 */
const DOUBLED_FOR: Milliseconds = 30_000;

export class ProxyTracker {
  readonly #publisher: Publisher;
  readonly #clock: Clock;
  readonly #grace: Milliseconds;
  /** By node id, the one that went first at the start. */
  readonly #away = new Map<string, ProxySeen>();
  readonly #rejections = new PastRejections();
  readonly #listeners = new Set<() => void>();
  /** By id, which is the node id or, for a second one with it, like `gw#2`. */
  #connected: ReadonlyMap<string, ProxyProgress> = new Map();
  #nodes: ReadonlyMap<string, readonly ProxyProgress[]> | undefined;

  constructor(options: {
    publisher: Publisher;
    clock: Clock;
    grace: Milliseconds;
    stored: readonly ProxySeen[];
  }) {
    this.#publisher = options.publisher;
    this.#clock = options.clock;
    this.#grace = options.grace;
    for (const seen of options.stored.toSorted((one, other) => one.lastSeen - other.lastSeen)) {
      this.#away.set(seen.id, seen);
    }
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
    const gone = [...this.#connected.values()].filter(({ id }) => !connected.has(id));
    this.#connected = connected;
    this.#nodes = undefined;
    for (const proxy of gone) {
      keepLower(this.#away, seenOf(proxy, now));
      this.#rejections.left(proxy);
    }
    for (const [nodeId, seen] of this.#away) if (this.#isBack(seen)) this.#away.delete(nodeId);
    for (const nodeId of this.#away.keys()) {
      if (this.#away.size <= AWAY_LIMIT) break;
      this.#away.delete(nodeId);
    }
    this.#forgetRejections();
    this.#notify();
  }

  /** Forgets proxies that have been away for the grace time. */
  expire(): void {
    const now = this.#clock.now();
    const before = this.#away.size;
    for (const [id, { lastSeen }] of this.#away) {
      if (after(lastSeen, this.#grace) <= now) this.#away.delete(id);
    }
    if (this.#away.size === before) return;
    this.#forgetRejections();
    this.#notify();
  }

  /** The proxies that keep `publication` from being everywhere: `routes` for a flip, `all` for a removal. */
  stragglers(publication: number, what: 'routes' | 'all'): readonly Straggler[] {
    const behind = this.#behind(publication, what);
    const told = new Set(behind.map(({ nodeId }) => nodeId));
    const away = [...this.#away.values()]
      .filter((seen) => seen.publication < publication && !told.has(seen.id))
      .map(
        (seen): Straggler => ({
          proxy: seen.id,
          kind: 'Away',
          publication: seen.publication,
          message: `not connected since ${new Date(seen.lastSeen).toISOString()}`,
        }),
      );
    return [...behind.map((proxy) => connectedStraggler(proxy, what)), ...away];
  }

  /** Those of them that are connected: a step that does not wait for proxies that went away waits for these. */
  connectedStragglers(publication: number, what: 'routes' | 'all'): readonly Straggler[] {
    return this.#behind(publication, what).map((proxy) => connectedStraggler(proxy, what));
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
        pastRejections: this.#rejections.of(proxy.nodeId),
        progress: proxy,
      }),
    );
    const nodes = this.#byNode();
    const away = [...this.#away.values()]
      .filter(({ id }) => !nodes.has(id))
      .map(
        ({ id, kind, lastSeen, publication }): ProxyView => ({
          id,
          kind,
          connected: false,
          inSync: false,
          lastSeen,
          publication,
          pastRejections: this.#rejections.of(id),
        }),
      );
    return [...connected, ...away].toSorted((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** What is wrong with who the proxies say that they are, one sentence each. */
  alerts(): readonly string[] {
    const nodes = this.#byNode();
    if (nodes.size === this.#connected.size) return [];
    const now = this.#clock.now();
    return [...nodes].flatMap(([nodeId, proxies]) => {
      const { length } = proxies.filter(({ connectedAt }) => now - connectedAt >= DOUBLED_FOR);
      return length < 2 ? [] : [`${length} proxies call themselves ${nodeId}: give each its own --node-id`];
    });
  }

  /** Writes last-seen times, so that a restart knows the stragglers. */
  async save(store: Store): Promise<void> {
    const now = this.#clock.now();
    const rows = new Map(this.#away);
    for (const proxy of this.#connected.values()) keepLower(rows, seenOf(proxy, now));
    await store.saveProxies([...rows.values()]);
  }

  #behind(publication: number, what: 'routes' | 'all'): readonly ProxyProgress[] {
    return this.connected().filter(
      (proxy) => (what === 'routes' ? proxy.routesPublication : proxy.publication) < publication,
    );
  }

  /** Whether a connection of the same node has come as far as the one that ended. */
  #isBack({ id, publication }: ProxySeen): boolean {
    return (
      this.#byNode()
        .get(id)
        ?.some((proxy) => proxy.publication >= publication) ?? false
    );
  }

  #forgetRejections(): void {
    this.#rejections.refresh(
      (nodeId) => this.#byNode().get(nodeId),
      (nodeId) => this.#away.has(nodeId),
    );
  }

  #byNode(): ReadonlyMap<string, readonly ProxyProgress[]> {
    this.#nodes ??= Map.groupBy(this.#connected.values(), ({ nodeId }) => nodeId);
    return this.#nodes;
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Of two connections of one node the one that is further behind counts, in case that they are two proxies. */
function keepLower(rows: Map<string, ProxySeen>, seen: ProxySeen): void {
  const other = rows.get(seen.id);
  rows.delete(seen.id);
  rows.set(seen.id, { ...seen, publication: Math.min(seen.publication, other?.publication ?? Infinity) });
}

function seenOf(proxy: ProxyProgress, now: Instant): ProxySeen {
  return { id: proxy.nodeId, kind: proxy.kind, lastSeen: now, publication: proxy.publication };
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
