/**
 * Versioned resources and immutable sets of them. What is derived from a set (a part of it, a variant, the difference
 * from what a proxy holds) is remembered with the set, so a thousand proxies in the same situation share one object,
 * and with it one encoded response.
 */
import { digest } from './digest.ts';
import type { ResourceType } from './resource.ts';
import type { Subscription } from './subscription.ts';

/** What is known of a resource on a proxy; the content itself may be unknown (it came from another server's lifetime). */
export interface Held {
  readonly name: string;
  /** Digest of the content. */
  readonly version: string;
  /** Names of what it refers to: routes name clusters, listeners name routes, clusters name endpoints. */
  readonly references: readonly string[];
  /** The content, where it is known. */
  readonly resource?: Resource;
}

/** A resource with its content. It is its own `resource`. */
export interface Resource extends Held {
  readonly type: ResourceType;
  /** The message's binary form. */
  readonly bytes: Uint8Array;
  readonly resource: Resource;
  /** The form in which a proxy that lacks it is sent it first. */
  readonly creation?: Resource;
}

/** By name, sorted. */
export type Holdings = ReadonlyMap<string, Held>;
export type Resources = ReadonlyMap<string, Resource>;

/** All resources of one type that somebody is to have. */
export interface ResourceSet {
  readonly type: ResourceType;
  /** Digest over the names and versions of the resources. */
  readonly version: string;
  readonly resources: Resources;
}

/** What one response carries. Equal content for equal sets is the same object. */
export interface Content {
  readonly type: ResourceType;
  /** The version of the set that it was taken from. */
  readonly version: string;
  readonly resources: readonly Resource[];
  /** Names that are no longer there. SotW says that by leaving them out. */
  readonly removed: readonly string[];
}

/** How a set differs from what is held. */
export interface Difference {
  readonly changed: readonly string[];
  readonly gone: readonly string[];
}

export const NOTHING: Holdings = new Map();

/** Makes a resource of bytes. Its version is their digest. */
export function makeResource(from: {
  type: ResourceType;
  name: string;
  bytes: Uint8Array;
  references: readonly string[];
  creationBytes?: Uint8Array | undefined;
}): Resource {
  const { type, name, bytes, references, creationBytes } = from;
  const creation = creationBytes && makeResource({ type, name, bytes: creationBytes, references });
  const draft = { type, name, bytes, references, version: digest([bytes]), ...(creation && { creation }) };
  const resource = draft as typeof draft & { resource: Resource };
  resource.resource = resource;
  return resource;
}

/** Makes a set; the resources must have distinct names. */
export function makeSet(type: ResourceType, resources: Iterable<Resource>): ResourceSet {
  const sorted = [...resources].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const version = digest(sorted.flatMap((resource) => [resource.name, resource.version]));
  return { type, version, resources: new Map(sorted.map((resource) => [resource.name, resource])) };
}

/** A function of a set and a key whose results are remembered for as long as the set lives. */
function remembered<Key, Result>(
  compute: (set: ResourceSet, key: Key) => Result,
): (set: ResourceSet, key: Key, id: string) => Result {
  const memory = new WeakMap<ResourceSet, Map<string, Result>>();
  return (set, key, id) => {
    let results = memory.get(set);
    if (results === undefined) memory.set(set, (results = new Map()));
    let result = results.get(id);
    if (result === undefined) results.set(id, (result = compute(set, key)));
    return result;
  };
}

const restrictedSet = remembered((set, subscription: Subscription) => {
  const found: Resource[] = [];
  for (const name of subscription.names) {
    const resource = set.resources.get(name);
    if (resource !== undefined) found.push(resource);
  }
  return found.length === set.resources.size ? set : makeSet(set.type, found);
});

/** The part of a set that a subscription covers. */
export function restrict(set: ResourceSet, subscription: Subscription): ResourceSet {
  return subscription.wildcard ? set : restrictedSet(set, subscription, subscription.key);
}

interface Changes {
  readonly put: readonly Resource[];
  readonly drop: readonly string[];
}

const changedSet = remembered((set, { put, drop }: Changes) => {
  const resources = new Map(set.resources);
  for (const name of drop) resources.delete(name);
  for (const resource of put) resources.set(resource.name, resource);
  return makeSet(set.type, resources.values());
});

/** The set with some resources put in (or replaced) and some left out; the set itself where nothing changes. */
export function withChanges(set: ResourceSet, changes: Changes): ResourceSet {
  if (changes.put.length === 0 && changes.drop.length === 0) return set;
  const id = [...changes.put.map(({ name, version }) => `${name}@${version}`), '-', ...changes.drop].join(
    '\n',
  );
  return changedSet(set, changes, id);
}

const contentOf = remembered(
  (set, { names, removed }: { names: readonly string[] | 'all'; removed: readonly string[] }): Content => ({
    type: set.type,
    version: set.version,
    resources:
      names === 'all'
        ? [...set.resources.values()]
        : names.map((name) => set.resources.get(name)).filter((resource) => resource !== undefined),
    removed,
  }),
);

/** A response's content: some resources of a set, or all, and the names of what is gone. */
export function content(
  set: ResourceSet,
  names: readonly string[] | 'all',
  removed: readonly string[],
): Content {
  const all = names === 'all' || names.length === set.resources.size;
  const id = [all ? '*' : names.join('\n'), ...removed].join('\n-');
  return contentOf(set, { names: all ? 'all' : names, removed }, id);
}

const missing = new WeakMap<Held, WeakMap<Resources, readonly string[]>>();

/** Names that a resource refers to and that are not in `resources`. */
export function missingReferences(held: Held, resources: Resources): readonly string[] {
  let known = missing.get(held);
  if (known === undefined) missing.set(held, (known = new WeakMap()));
  let result = known.get(resources);
  if (result === undefined) {
    result = held.references.filter((name) => !resources.has(name));
    known.set(resources, result);
  }
  return result;
}

const differences = new WeakMap<Holdings, WeakMap<ResourceSet, Difference>>();

/** What of `set` is new or different beside `held`, and what of `held` is not in `set`; sorted as they are there. */
export function difference(held: Holdings, set: ResourceSet): Difference {
  let known = differences.get(held);
  if (known === undefined) differences.set(held, (known = new WeakMap()));
  let result = known.get(set);
  if (result === undefined) known.set(set, (result = compare(held, set)));
  return result;
}

function compare(held: Holdings, set: ResourceSet): Difference {
  const changed: string[] = [];
  const gone: string[] = [];
  for (const [name, resource] of set.resources)
    if (held.get(name)?.version !== resource.version) changed.push(name);
  for (const name of held.keys()) if (!set.resources.has(name)) gone.push(name);
  return { changed, gone };
}

/** What is held after some were added or replaced and some went; the set's own map where that is the same. */
export function holdingsAfter(held: Holdings, change: { content: Content; set: ResourceSet }): Holdings {
  const after = new Map(held);
  for (const name of change.content.removed) after.delete(name);
  for (const resource of change.content.resources) after.set(resource.name, resource);
  const { changed, gone } = compare(after, change.set);
  return changed.length === 0 && gone.length === 0 ? change.set.resources : after;
}
