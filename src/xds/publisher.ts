/**
 * The Publisher port over xDS: publications in, pushes to all connected proxies out, and where each of them is. It
 * keeps the newest snapshot and the list of proxies. A publication that cannot be translated changes nothing.
 */
import type { Instant, Milliseconds } from '../model/instant.ts';
import { MAX_PROXIES } from '../model/limits.ts';
import type { Publication, RoutingTable } from '../model/table.ts';
import type { Publisher, PublishProgress } from '../ports/publisher.ts';
import { createFramer } from './framing.ts';
import { createNotice } from './notice.ts';
import type { XdsObserver } from './observer.ts';
import type { Proxy, ProxyContext } from './proxy.ts';
import type { Translation } from './resource.ts';
import { createSharedStep } from './shared-step.ts';
import { nextSnapshot, type Snapshot } from './snapshot.ts';

/** What the server's streams need of the publisher. */
export interface Fleet extends ProxyContext {
  /** Why streams are refused now; empty: they are not. Before the state is loaded there is nothing that could be served. */
  readonly refusal: string;
  /** Gives a connected proxy what it is to have now, if it may have it. */
  aim(proxy: Proxy): void;
  /** Why no other proxy may come; empty: one may. Those that are connected stay. */
  readonly fullness: string;
  /** An id like the node's that no connected proxy has. */
  freeId(nodeId: string): string;
  add(proxy: Proxy): void;
  remove(proxy: Proxy): void;
}

export interface XdsPublisher extends Publisher {
  readonly fleet: Fleet;
  /** The table that was published last; undefined: none was. */
  table(): RoutingTable | undefined;
  /** Lets an empty store answer proxies that hold configuration: they will lose it. */
  acceptEmpty(): void;
}

export interface PublisherOptions {
  translate(table: RoutingTable): Translation;
  now(): Instant;
  readonly observer?: XdsObserver;
  /**
   * Nothing was ever stored. Proxies that hold configuration get no answer until a publication has a service, or
   * `acceptEmpty` is called: an empty disk is more likely an accident than a wish to delete everything.
   */
  readonly emptyStore?: boolean;
  /** Why no stream may begin here now; empty where it may. Streams that are open go on. */
  readonly mayNotServe?: () => string;
  /** How many proxies may be connected; default MAX_PROXIES. */
  readonly maxProxies?: number;
}

/** Proxies that are served in one turn of the event loop; between turns their answers are read. */
const WAVE = 2_048;

/** Makes the publisher. It serves once the first publication is in. */
export function createPublisher(options: PublisherOptions): XdsPublisher {
  const observer = options.observer ?? {};
  const proxies = new Set<Proxy>();
  const ids = new Set<string>();
  const listeners = new Set<() => void>();
  let snapshot: Snapshot | undefined;
  let published: RoutingTable | undefined;
  let guarded = options.emptyStore === true;
  let pending: Proxy[] = [];
  const shared = createSharedStep();
  let ordered: readonly Proxy[] | undefined;

  const changed = createNotice(() => {
    for (const listener of listeners) listener();
  });

  const aim = (proxy: Proxy): void => {
    if (snapshot === undefined || (guarded && proxy.configured)) return;
    if (proxy.aimedAt === snapshot.publication) return;
    proxy.retarget(snapshot.targetFor(proxy.cohort));
  };

  // What goes wrong for one proxy ends its streams and nobody else's.
  const tryToAim = (proxy: Proxy): void => {
    try {
      aim(proxy);
    } catch (error) {
      proxy.fail(error);
    }
  };

  const serveWave = (): void => {
    const wave = pending.slice(0, WAVE);
    pending = pending.slice(WAVE);
    for (const proxy of wave) if (proxies.has(proxy)) tryToAim(proxy);
    if (pending.length > 0) setImmediate(serveWave);
  };

  const serveAll = (): void => {
    const idle = pending.length === 0;
    pending = [...proxies];
    if (idle) serveWave();
  };

  const fleet: Fleet = {
    get refusal() {
      if (snapshot === undefined) return 'the state is not loaded yet; try again';
      return options.mayNotServe?.() ?? '';
    },
    get fullness() {
      const { maxProxies = MAX_PROXIES } = options;
      if (proxies.size < maxProxies) return '';
      return `${proxies.size} proxies are connected here, and ${maxProxies} is the most; connect to another replica, or run another controller for some of the services`;
    },
    framer: createFramer(),
    step: shared.step,
    observer,
    now: () => options.now(),
    changed,
    aim,
    freeId(nodeId) {
      let id = nodeId;
      for (let number = 2; ids.has(id); number += 1) id = `${nodeId}#${number}`;
      return id;
    },
    add(proxy) {
      proxies.add(proxy);
      ids.add(proxy.id);
      ordered = undefined;
      changed();
    },
    remove(proxy) {
      if (!proxies.delete(proxy)) return;
      ids.delete(proxy.id);
      ordered = undefined;
      changed();
    },
  };

  return {
    fleet,
    table: () => published,
    publish({ number, table }: Publication) {
      const last = snapshot?.publication ?? 0;
      if (!Number.isSafeInteger(number) || number <= last) {
        throw new RangeError(`publication ${number} must be a whole number above the last one, ${last}`);
      }
      const began: Milliseconds = options.now();
      const translation = options.translate(table);
      snapshot = nextSnapshot({ publication: number, translation, previous: snapshot });
      published = table;
      shared.forget();
      if (table.services.length > 0) guarded = false;
      const resources = translation.envoy.length + translation.grpc.length;
      observer.translated?.({ number, took: options.now() - began, resources });
      serveAll();
      changed();
    },
    progress(): PublishProgress {
      const publication = snapshot?.publication ?? 0;
      ordered ??= [...proxies].toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
      return { publication, proxies: ordered.map((proxy) => proxy.progress(publication)) };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    acceptEmpty() {
      guarded = false;
      serveAll();
    },
  };
}
