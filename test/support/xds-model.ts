/**
 * A model of an Envoy as an xDS client, for tests of the order without a wire: it applies responses as Envoy 1.40 does
 * (a rejected cluster response is applied in part, a rejected route response not at all, a changed cluster warms until
 * endpoints come), asks for what follows from what it holds, and throws where the server does what would hurt.
 */
import { placeholderCluster } from '../../src/xds/placeholder.ts';
import type { ResourceType } from '../../src/xds/resource.ts';
import type { Content, Resource } from '../../src/xds/resource-set.ts';
import { isFullState } from '../../src/xds/sotw.ts';

/** A request on its way to the server. */
export interface ModelRequest {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly error?: string;
  readonly version: string;
  readonly names: readonly string[];
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
}

export interface ModelResponse {
  readonly nonce: string;
  readonly content: Content;
}

interface HeldCluster {
  version: string;
  /** Endpoints came since it was added. */
  ready: boolean;
  /** Changed, and waiting for endpoints; the old form serves. */
  warming: boolean;
}

/** A resource whose bytes contain this is rejected. */
export const BAD = 'bad';
const TYPES: readonly ResourceType[] = ['clusters', 'endpoints', 'listeners', 'routes'];

class Breach extends Error {
  override readonly name = 'Breach';
}

export class EnvoyModel {
  readonly dialect: 'sotw' | 'delta';
  readonly clusters = new Map<string, HeldCluster>();
  readonly endpoints = new Map<string, string>();
  readonly listeners = new Map<string, Resource>();
  readonly routes = new Map<string, Resource>();
  /** Requests to put on the wire, oldest first. */
  readonly outbox: ModelRequest[] = [];
  #asked = new Set<ResourceType>();
  #everAsked = new Set<ResourceType>();
  readonly #accepted = new Map<ResourceType, string>();
  #nonces = new Map<ResourceType, string>();
  #names = new Map<ResourceType, ReadonlySet<string>>();
  /** Names that it asked for and that were not answered yet: they may come though they are the same. */
  #awaited = new Map<ResourceType, Set<string>>();
  /** Full-state types of which a response is to come though it is the same. */
  #awaitedWhole = new Set<ResourceType>();
  readonly #doubtful = new Set<string>();
  /** Requests for clusters wait while a cluster warms, acknowledgements too. */
  #paused: ModelRequest[] = [];

  constructor(dialect: 'sotw' | 'delta') {
    this.dialect = dialect;
  }

  /** A new stream; what is held stays. All types that it ever asked for are asked for at once. */
  connect(): void {
    this.outbox.length = 0;
    this.#paused = [];
    this.#asked = new Set();
    this.#nonces = new Map();
    this.#names = new Map();
    this.#awaited = new Map();
    this.#awaitedWhole = new Set();
    this.#everAsked.add('clusters');
    for (const type of TYPES) if (this.#everAsked.has(type)) this.#ask(type);
  }

  /** Applies a response and asks for what follows. Throws Breach where it would hurt. */
  receive({ nonce, content }: ModelResponse): void {
    const { type } = content;
    this.#nonces.set(type, nonce);
    const duplicate = content.resources.find(
      (one, at) => content.resources.findIndex(({ name }) => name === one.name) !== at,
    );
    if (duplicate !== undefined) throw new Breach(`${type} ${duplicate.name} comes twice in a response`);
    this.#checkNews(content);
    const bad = content.resources.filter(({ bytes }) => Buffer.from(bytes).includes(BAD));
    const before = new Map([...this.clusters].map(([name, { version }]) => [name, version]));
    if (type === 'clusters') this.#applyClusters(content);
    else if (type === 'endpoints') this.#applyEndpoints(content);
    else if (type === 'listeners') this.#applyListeners(content);
    else if (bad.length === 0) this.#applyRoutes(content);
    const told = [...content.resources.map(({ name }) => name), ...content.removed];
    for (const name of told) this.#awaited.get(type)?.delete(name);
    this.#awaitedWhole.delete(type);
    const keys = content.resources.map(({ name }) => `${type}/${name}`);
    for (const key of keys) this.#doubtful[bad.length > 0 ? 'add' : 'delete'](key);
    this.#follow(type, before);
    if (bad.length === 0) this.#accepted.set(type, content.version);
    this.#send(type, bad.length > 0 ? `${bad.map(({ name }) => name).join()} is bad` : undefined);
    if (this.unfinished.length === 0) this.outbox.push(...this.#paused.splice(0));
    if (this.dialect === 'sotw' && type === 'clusters' && bad.length > 0) this.#doubtful.add('clusters');
  }

  /** Placeholders have waited for endpoints for 15 s: they go on with those that the cluster had. */
  timeOut(): void {
    for (const [name, cluster] of this.clusters) {
      if (cluster.version === placeholderCluster(name).version) cluster.warming = false;
    }
    if (this.unfinished.length === 0) this.outbox.push(...this.#paused.splice(0));
  }

  /** Clusters that wait for endpoints. */
  get unfinished(): readonly string[] {
    return [...this.clusters].filter(([, { ready, warming }]) => !ready || warming).map(([name]) => name);
  }

  #checkNews({ type, resources, removed }: Content): void {
    const whole = this.dialect === 'sotw' && isFullState(type);
    const held = (name: string): string | undefined =>
      type === 'clusters'
        ? this.clusters.get(name)?.version
        : type === 'endpoints'
          ? this.endpoints.get(name)
          : this[type].get(name)?.version;
    const excused = ({ name }: Resource): boolean =>
      this.#awaited.get(type)?.has(name) === true ||
      this.#doubtful.has(`${type}/${name}`) ||
      (type === 'endpoints' && this.clusters.get(name)?.warming === true);
    const same = resources.filter(
      (resource) => held(resource.name) === resource.version && !excused(resource),
    );
    if (whole) {
      const equal =
        resources.length === this[type].size &&
        resources.every(({ name, version }) => held(name) === version);
      const doubt = [...this.#doubtful].some((key) => key.startsWith(type));
      if (equal && !this.#awaitedWhole.has(type) && !doubt) throw new Breach(`the same ${type} come again`);
    } else if (same.length > 0) {
      throw new Breach(`${type} ${same.map(({ name }) => name).join()} come again as they are held`);
    } else if (resources.length + removed.length === 0 && !this.#awaitedWhole.has(type)) {
      throw new Breach(`an empty response for ${type}`);
    }
  }

  #applyClusters({ resources, removed }: Content): void {
    const gone =
      this.dialect === 'delta'
        ? removed
        : [...this.clusters.keys()].filter((name) => !resources.some((resource) => resource.name === name));
    for (const name of gone) {
      for (const [route, { references }] of this.routes) {
        if (references.includes(name))
          throw new Breach(`cluster ${name} is removed while route ${route} names it`);
      }
      this.clusters.delete(name);
      this.endpoints.delete(name);
    }
    for (const { name, version, bytes } of resources) {
      // The server cannot know whether a rejected cluster warms, so its endpoints may come again.
      const bad = Buffer.from(bytes).includes(BAD);
      if (bad || this.#doubtful.has(`clusters/${name}`)) this.#await('endpoints', [name]);
      if (bad) continue;
      const held = this.clusters.get(name);
      if (held === undefined) this.clusters.set(name, { version, ready: false, warming: true });
      else if (held.version !== version) Object.assign(held, { version, warming: true });
    }
  }

  #applyEndpoints({ resources, removed }: Content): void {
    // That there are none is an answer too: the cluster is in use, and empty.
    for (const name of removed) {
      const cluster = this.clusters.get(name);
      if (cluster !== undefined) Object.assign(cluster, { ready: true, warming: false });
      this.endpoints.delete(name);
    }
    for (const { name, version } of resources) {
      const cluster = this.clusters.get(name);
      if (cluster === undefined) continue;
      this.endpoints.set(name, version);
      Object.assign(cluster, { ready: true, warming: false });
    }
  }

  #applyListeners({ resources, removed }: Content): void {
    const gone =
      this.dialect === 'delta'
        ? removed
        : [...this.listeners.keys()].filter((name) => !resources.some((resource) => resource.name === name));
    for (const name of gone) this.listeners.delete(name);
    for (const resource of resources) this.listeners.set(resource.name, resource);
    const named = new Set([...this.listeners.values()].flatMap(({ references }) => references));
    for (const name of this.routes.keys()) if (!named.has(name)) this.routes.delete(name);
  }

  #applyRoutes({ resources }: Content): void {
    for (const resource of resources) {
      for (const cluster of resource.references) {
        const held = this.clusters.get(cluster);
        if (held?.ready !== true) {
          throw new Breach(
            `route ${resource.name} names cluster ${cluster}, which is ${held ? 'not ready' : 'missing'}`,
          );
        }
      }
      if (this.#names.get('routes')?.has(resource.name) === true) this.routes.set(resource.name, resource);
    }
  }

  /** Asks for endpoints of clusters, then for listeners, and for the routes that these name. */
  #follow(type: ResourceType, before: ReadonlyMap<string, string>): void {
    if (type === 'clusters') {
      const changed = [...this.clusters].some(
        ([name, { version }]) => before.has(name) && before.get(name) !== version,
      );
      this.#renew('endpoints', changed);
    }
    if (this.unfinished.length === 0 && !this.#asked.has('listeners')) this.#ask('listeners');
    if (type === 'listeners') this.#renew('routes', false);
  }

  #wantedNames(type: ResourceType): ReadonlySet<string> {
    if (type === 'endpoints') return new Set(this.clusters.keys());
    if (type === 'routes')
      return new Set([...this.listeners.values()].flatMap(({ references }) => references));
    return new Set();
  }

  #renew(type: ResourceType, askAgain: boolean): void {
    const before = this.#names.get(type) ?? new Set<string>();
    const now = this.#wantedNames(type);
    const added = [...now.difference(before)];
    const gone = [...before.difference(now)];
    if (!this.#asked.has(type)) {
      if (now.size > 0) this.#ask(type);
      return;
    }
    const again = askAgain && this.dialect === 'sotw';
    if (added.length + gone.length === 0 && !again) return;
    this.#names.set(type, now);
    this.#await(type, again ? now : added);
    this.#send(type, undefined, { subscribe: added, unsubscribe: gone, spontaneous: true });
  }

  #ask(type: ResourceType): void {
    const names = this.#wantedNames(type);
    // Without names a first delta request would ask for all; Envoy does not ask before there is a name.
    const named = type === 'endpoints' || type === 'routes';
    if (this.dialect === 'delta' && named && names.size === 0) return;
    this.#asked.add(type);
    this.#everAsked.add(type);
    this.#names.set(type, names);
    this.#await(type, names);
    this.#awaitedWhole.add(type);
    const held = type === 'clusters' ? this.clusters : type === 'listeners' ? this.listeners : new Map();
    const initialVersions = new Map([...held].map(([name, { version }]) => [name, version as string]));
    this.#send(type, undefined, {
      subscribe: [...names],
      unsubscribe: [],
      initialVersions,
      spontaneous: true,
    });
  }

  #await(type: ResourceType, names: Iterable<string>): void {
    const awaited = this.#awaited.get(type) ?? new Set();
    for (const name of names) awaited.add(name);
    this.#awaited.set(type, awaited);
  }

  #send(
    type: ResourceType,
    error: string | undefined,
    change: {
      subscribe?: readonly string[];
      unsubscribe?: readonly string[];
      initialVersions?: ReadonlyMap<string, string>;
      spontaneous?: boolean;
    } = {},
  ): void {
    const nonce =
      this.dialect === 'delta' && change.spontaneous === true ? '' : (this.#nonces.get(type) ?? '');
    const paused = type === 'clusters' && change.spontaneous !== true && this.unfinished.length > 0;
    (paused ? this.#paused : this.outbox).push({
      type,
      nonce,
      ...(error !== undefined && { error }),
      version: this.#accepted.get(type) ?? '',
      names: [...(this.#names.get(type) ?? [])],
      subscribe: change.subscribe ?? [],
      unsubscribe: change.unsubscribe ?? [],
      initialVersions: change.initialVersions ?? new Map(),
    });
  }
}
