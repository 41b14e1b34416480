/**
 * One publication as resources with versions. A translation goes in; out comes a snapshot that is complete in itself
 * (checked), and from which each cohort of proxies gets its target. What did not change keeps its identity from
 * snapshot to snapshot, so "nothing new for this proxy" is one comparison of pointers.
 */
import { type Cohort, cohortKey, selectFor } from './cohort.ts';
import { RESOURCE_TYPES, type ResourceType, type TranslatedResource, type Translation } from './resource.ts';
import { makeResource, makeSet, type Resource, type ResourceSet } from './resource-set.ts';

/** What the proxies of one cohort are to have. */
export interface Target {
  readonly publication: number;
  readonly sets: Readonly<Record<ResourceType, ResourceSet>>;
  /** Clusters and endpoints that were removed lately: a proxy that still uses one is told the same again. */
  readonly removed: RemovedContent;
}

export type RemovedContent = Readonly<Record<'clusters' | 'endpoints', ReadonlyMap<string, Resource>>>;

export interface Snapshot {
  readonly publication: number;
  targetFor(cohort: Cohort): Target;
  /** For the next snapshot. */
  readonly memory: Memory;
}

type Kind = Cohort['kind'];
type Item = TranslatedResource & { readonly translated: TranslatedResource; readonly resource: Resource };

interface Memory {
  readonly items: Readonly<Record<Kind, ReadonlyMap<string, Item>>>;
  readonly removed: Readonly<Record<Kind, RemovedContent>>;
  readonly targets: ReadonlyMap<string, Target>;
}

/** How many removed clusters are remembered. */
const REMOVED_LIMIT = 1_000;

/** A translation that would leave a proxy with a reference to nothing. The text names what is missing. */
export class InconsistentError extends Error {
  override readonly name = 'InconsistentError';
}

/** Every name that a resource refers to must exist, and no name twice. Throws InconsistentError. */
export function checkConsistent(translation: Translation): void {
  const breaches: string[] = [];
  for (const kind of ['envoy', 'grpc'] as const) {
    const names: Record<ResourceType, Set<string>> = {
      clusters: new Set(),
      endpoints: new Set(),
      listeners: new Set(),
      routes: new Set(),
    };
    for (const { type, name } of translation[kind]) {
      if (names[type].has(name)) breaches.push(`${kind}: two ${type} are named ${JSON.stringify(name)}`);
      names[type].add(name);
    }
    for (const { type, name, references } of translation[kind]) {
      const wanted = REFERRED_TYPE[type];
      if (wanted === undefined) continue;
      for (const reference of references) {
        if (names[wanted].has(reference)) continue;
        breaches.push(
          `${kind}: ${type} ${JSON.stringify(name)} names ${JSON.stringify(reference)}, which is not in ${wanted}`,
        );
      }
    }
  }
  if (breaches.length > 0)
    throw new InconsistentError(`the publication is not complete: ${breaches.join('; ')}`);
}

const REFERRED_TYPE: Readonly<Record<ResourceType, ResourceType | undefined>> = {
  clusters: 'endpoints',
  endpoints: undefined,
  listeners: 'routes',
  routes: 'clusters',
};

/** The snapshot of a translation, after the one before it. Throws InconsistentError. */
export function nextSnapshot(from: {
  publication: number;
  translation: Translation;
  previous: Snapshot | undefined;
}): Snapshot {
  const { publication, translation } = from;
  checkConsistent(translation);
  const before = from.previous?.memory;
  const items = {
    envoy: versioned(translation.envoy, before?.items.envoy),
    grpc: versioned(translation.grpc, before?.items.grpc),
  };
  const removed = {
    envoy: removedSince(before?.items.envoy, items.envoy, before?.removed.envoy),
    grpc: removedSince(before?.items.grpc, items.grpc, before?.removed.grpc),
  };
  const earlier = before?.targets ?? new Map<string, Target>();
  const targets = new Map<string, Target>();
  const targetFor = (cohort: Cohort): Target => {
    const key = cohortKey(cohort);
    let target = targets.get(key);
    if (target === undefined) {
      const sets = setsOf(selectFor(cohort, [...items[cohort.kind].values()]), earlier.get(key)?.sets);
      target = { publication, sets, removed: removed[cohort.kind] };
      targets.set(key, target);
    }
    return target;
  };
  return { publication, targetFor, memory: { items, removed, targets } };
}

function versioned(
  translated: readonly TranslatedResource[],
  before: ReadonlyMap<string, Item> | undefined,
): ReadonlyMap<string, Item> {
  return new Map(
    translated.map((item) => {
      const id = `${item.type}/${item.name}`;
      const known = before?.get(id);
      // A translation that remembers gives the same object for the same content.
      if (known?.translated === item) return [id, known];
      const same =
        known !== undefined &&
        equalBytes(known.bytes, item.bytes) &&
        equalBytes(known.creationBytes, item.creationBytes) &&
        known.references.join('\n') === item.references.join('\n');
      return [id, { ...item, translated: item, resource: same ? known.resource : makeResource(item) }];
    }),
  );
}

function equalBytes(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}

function removedSince(
  before: ReadonlyMap<string, Item> | undefined,
  now: ReadonlyMap<string, Item>,
  remembered: RemovedContent | undefined,
): RemovedContent {
  const keep = (type: 'clusters' | 'endpoints'): ReadonlyMap<string, Resource> => {
    const kept = new Map([...(remembered?.[type] ?? [])].filter(([name]) => !now.has(`${type}/${name}`)));
    for (const [id, { resource }] of before ?? []) {
      if (resource.type === type && !now.has(id)) kept.set(resource.name, resource);
    }
    return new Map([...kept].slice(-REMOVED_LIMIT));
  };
  return { clusters: keep('clusters'), endpoints: keep('endpoints') };
}

function setsOf(items: readonly Item[], earlier: Target['sets'] | undefined): Target['sets'] {
  const set = (type: ResourceType): ResourceSet => {
    const resources = items.filter((item) => item.type === type).map(({ resource }) => resource);
    const known = earlier?.[type];
    if (known !== undefined && isMadeOf(known, resources)) return known;
    const made = makeSet(type, resources);
    return known?.version === made.version ? known : made;
  };
  return Object.fromEntries(RESOURCE_TYPES.map((type) => [type, set(type)])) as Record<
    ResourceType,
    ResourceSet
  >;
}

function isMadeOf(set: ResourceSet, resources: readonly Resource[]): boolean {
  return (
    set.resources.size === resources.length &&
    resources.every((resource) => set.resources.get(resource.name) === resource)
  );
}
