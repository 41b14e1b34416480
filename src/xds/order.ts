/**
 * Make before break, for one proxy. In go the target and what is known of the proxy; out comes the view: what it
 * should have right now. A route is shown only when every cluster that it names is usable there; a cluster stays for as
 * long as a route that the proxy may hold names it, and goes only when no addition is untested. Pure and without
 * memory: the same knowledge gives the same view, so after each answer the next step shows itself.
 */
import { possiblyHeld, type TypeKnowledge } from './knowledge.ts';
import { placeholderCluster } from './placeholder.ts';
import type { ResourceType } from './resource.ts';
import {
  type Held,
  missingReferences,
  type Resource,
  type ResourceSet,
  withChanges,
} from './resource-set.ts';
import type { Target } from './snapshot.ts';

/** What is known of a proxy, over all types. */
export interface ProxyKnowledge {
  /** `aggregated`: one stream for all types. `separate`: several streams over one connection. */
  readonly shape: 'aggregated' | 'separate';
  readonly types: Readonly<Partial<Record<ResourceType, TypeKnowledge>>>;
  /** Clusters that were sent as new, with the number of that response, until endpoints sent later are acknowledged. */
  readonly warming: ReadonlyMap<string, number>;
  /** Clusters that the proxy brought along when it connected, until it has an answer for clusters. */
  readonly brought: ReadonlySet<string>;
  /** Whether it may still use routes from before: they may name any cluster that it brought along. */
  readonly unsettled: boolean;
  /**
   * How routes wait for clusters. `Gated`: clusters first (Envoy). `Free`: the proxy asks for clusters by name after it
   * has the routes (proxyless gRPC), or has its clusters from elsewhere. `Held`: it is not known yet which; no routes.
   */
  readonly routing: 'Gated' | 'Free' | 'Held';
}

/** What a proxy should have now. */
export interface View {
  readonly sets: Readonly<Record<ResourceType, ResourceSet>>;
  /** Per type: names that are absent from `sets` for now and must not be called removed. */
  readonly kept: Readonly<Partial<Record<ResourceType, ReadonlySet<string>>>>;
  /** Clusters get no answer yet: routes have to be acknowledged first. */
  readonly clustersWithheld: boolean;
}

/** The view of one proxy. */
export function viewOf(target: Target, proxy: ProxyKnowledge): View {
  const clusters = clustersFor(target, proxy);
  const usable = (name: string): boolean =>
    proxy.routing === 'Free' || (clusters.withheld ? proxy.brought.has(name) : isUsable(proxy, name));
  const routes = routesFor(target, proxy, usable);
  return {
    sets: {
      clusters: clusters.set,
      endpoints: endpointsFor(target, proxy, clusters.retained),
      listeners: target.sets.listeners,
      routes: routes.set,
    },
    kept: { clusters: clusters.kept, routes: routes.kept },
    clustersWithheld: clusters.withheld,
  };
}

/**
 * Whether the proxy has the cluster and knows its endpoints, as far as it has told. Envoy holds its acknowledgement of
 * clusters back while any of them warms. On an aggregated stream, which is in order, endpoints that it acknowledged after
 * the cluster was sent tell enough; a cluster of a rejected response does not count.
 */
function isUsable({ types, warming, shape }: ProxyKnowledge, cluster: string): boolean {
  const { clusters } = types;
  if (clusters === undefined || !clusters.sent.has(cluster) || warming.has(cluster)) return false;
  if (clusters.acknowledged.has(cluster)) return true;
  const onItsWay = clusters.unanswered.flatMap(({ content }) => content.resources);
  return (
    shape === 'aggregated' &&
    onItsWay.some(({ name, references }) => name === cluster && references.length > 0)
  );
}

/** Whether the proxy has acknowledged every route table that it asks for, on this stream. */
export function routesSettled({ types: { routes } }: ProxyKnowledge): boolean {
  if (routes === undefined || !routes.open) return false;
  for (const name of routes.subscription.names) if (!routes.acknowledged.has(name)) return false;
  return routes.acknowledged.size > 0 || routes.subscription.names.size === 0;
}

interface ClustersView {
  readonly set: ResourceSet;
  readonly kept: ReadonlySet<string>;
  /** Names of those that are not wanted and stay. Endpoints bear the name of their cluster. */
  readonly retained: readonly string[];
  readonly withheld: boolean;
}

const NOBODY: ReadonlySet<string> = new Set();

function clustersFor(target: Target, proxy: ProxyKnowledge): ClustersView {
  const base = target.sets.clusters;
  const { clusters: known } = proxy.types;
  const firstForms = creationForms(target, proxy);
  const retained: Resource[] = [];
  const unknown: string[] = [];
  for (const name of namesToRetain(target, proxy, firstForms)) {
    const resource = contentToKeep(known, name, target.removed.clusters);
    if (resource === undefined) unknown.push(name);
    else retained.push(resource);
  }
  const withheld = unknown.length > 0 && known?.dialect === 'sotw' && routesCanGoFirst(target, proxy);
  const placeholders = known?.dialect === 'sotw' && !withheld ? unknown.map(placeholderCluster) : [];
  return {
    set: withChanges(base, { put: [...firstForms, ...retained, ...placeholders], drop: [] }),
    kept: known?.dialect === 'delta' && unknown.length > 0 ? new Set(unknown) : NOBODY,
    retained: [...retained.map(({ name }) => name), ...unknown],
    withheld,
  };
}

/**
 * The content that a proxy most likely has under a name: what it acknowledged, else what it was sent on this stream or
 * the one before, else what was published last. Never what it has just refused. Undefined: nobody knows.
 */
function contentToKeep(
  known: TypeKnowledge | undefined,
  name: string,
  published: ReadonlyMap<string, Resource>,
): Resource | undefined {
  const acknowledged = known?.acknowledged.get(name);
  if (acknowledged !== undefined) return acknowledged.resource;
  const refused = known?.rejection?.content.resources.find((resource) => resource.name === name);
  const sent = known?.sent.get(name);
  const before = known?.doubtful.find((held) => held.name === name);
  const likely = sent === undefined ? (before?.resource ?? published.get(name)) : sent.resource;
  return likely?.version === refused?.version ? undefined : likely;
}

/** Clusters that are no longer wanted and have to stay for now. */
function namesToRetain(
  target: Target,
  proxy: ProxyKnowledge,
  firstForms: readonly Resource[],
): ReadonlySet<string> {
  const wanted = target.sets.clusters.resources;
  const { clusters, routes } = proxy.types;
  const names = new Set<string>();
  const retain = (name: string): void => {
    if (!wanted.has(name)) names.add(name);
  };
  if (proxy.unsettled) proxy.brought.forEach(retain);
  for (const held of routes === undefined ? [] : possiblyHeld(routes))
    missingReferences(held, wanted).forEach(retain);
  if (clusters === undefined || clusters.sent === wanted) return names;
  const going = [...clusters.sent.keys()].filter(
    (name) => !wanted.has(name) && clusters.acknowledged.has(name),
  );
  if (going.length > 0 && hasUntestedAdditions(target, clusters, firstForms)) going.forEach(retain);
  return names;
}

/** Whether the proxy has yet to acknowledge a cluster in the form in which it is wanted. */
function hasUntestedAdditions(
  target: Target,
  clusters: TypeKnowledge,
  firstForms: readonly Resource[],
): boolean {
  if (firstForms.length > 0) return true;
  if (!clusters.subscription.wildcard) return false;
  for (const [name, { version }] of target.sets.clusters.resources) {
    if (clusters.acknowledged.get(name)?.version !== version) return true;
  }
  return false;
}

/** The first forms of clusters that the proxy lacks, or has in that form and not yet in use. */
function creationForms(target: Target, proxy: ProxyKnowledge): readonly Resource[] {
  const forms: Resource[] = [];
  for (const { name, creation } of withCreation(target.sets.clusters)) {
    if (creation === undefined) continue;
    const held: Held | undefined = proxy.types.clusters?.sent.get(name);
    const lacking =
      held === undefined
        ? !proxy.brought.has(name)
        : held.version === creation.version && !isUsable(proxy, name);
    if (lacking) forms.push(creation);
  }
  return forms;
}

const creations = new WeakMap<ResourceSet, readonly Resource[]>();

function withCreation(set: ResourceSet): readonly Resource[] {
  let result = creations.get(set);
  if (result === undefined) {
    result = [...set.resources.values()].filter(({ creation }) => creation !== undefined);
    creations.set(set, result);
  }
  return result;
}

/** Whether the proxy can take the wanted routes with the clusters that it has, before it hears of clusters. */
function routesCanGoFirst(target: Target, { types: { routes }, brought, routing }: ProxyKnowledge): boolean {
  if (routes === undefined || !routes.open || routes.rejection !== undefined || routing === 'Held')
    return false;
  return [...routes.subscription.names].every((name) => {
    const wanted = target.sets.routes.resources.get(name);
    return wanted?.references.every((cluster) => routing === 'Free' || brought.has(cluster)) ?? false;
  });
}

/** Wanted routes whose clusters are all usable; of the others, what the proxy was sent last. */
function routesFor(
  target: Target,
  proxy: ProxyKnowledge,
  usable: (cluster: string) => boolean,
): { readonly set: ResourceSet; readonly kept: ReadonlySet<string> } {
  const { clusters } = proxy.types;
  const complete = clusters?.acknowledged === target.sets.clusters.resources && proxy.warming.size === 0;
  if (complete && proxy.routing === 'Gated') return { set: target.sets.routes, kept: NOBODY };
  const put: Resource[] = [];
  const drop: string[] = [];
  for (const [name, resource] of target.sets.routes.resources) {
    if (proxy.routing !== 'Held' && resource.references.every(usable)) continue;
    const last = proxy.types.routes?.sent.get(name)?.resource;
    if (last === undefined) drop.push(name);
    else if (last !== resource) put.push(last);
  }
  return {
    set: withChanges(target.sets.routes, { put, drop }),
    kept: drop.length === 0 ? NOBODY : new Set(drop),
  };
}

/** Wanted endpoints, and those of clusters that stay or are still there: one that warms would wait for them. */
function endpointsFor(target: Target, proxy: ProxyKnowledge, retained: readonly string[]): ResourceSet {
  const { clusters, endpoints } = proxy.types;
  const wanted = target.sets.clusters.resources;
  const there = clusters === undefined || clusters.sent === wanted ? [] : [...clusters.sent.keys()];
  const names = new Set([...retained, ...there.filter((name) => !wanted.has(name))]);
  const put: Resource[] = [];
  for (const name of names) {
    const last = contentToKeep(endpoints, name, target.removed.endpoints);
    if (last !== undefined && !target.sets.endpoints.resources.has(name)) put.push(last);
  }
  return withChanges(target.sets.endpoints, { put, drop: [] });
}
