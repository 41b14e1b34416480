/**
 * Who a proxy is and what concerns it: read from the node that it sends first, and used to pick its part of the
 * resources. Proxies of one cohort (same kind, same wishes) share everything.
 */
import { excerpt, visible } from '../model/text.ts';
import type { TranslatedResource } from './resource.ts';

/** What a proxy asks for in its node metadata: `switchyard: {listeners: [...], services: [...]}`. */
export interface Cohort {
  readonly kind: 'envoy' | 'grpc';
  /** Listeners wanted; absent: all. */
  readonly listeners?: readonly string[];
  /** Services wanted; absent: all. */
  readonly services?: readonly string[];
}

/** A node that cannot be served; the text names the field and what would be right. */
export class InvalidNodeError extends Error {
  override readonly name = 'InvalidNodeError';
}

/** What of `envoy.config.core.v3.Node` is read. */
export interface NodeFields {
  readonly id: string;
  readonly userAgentName: string;
  readonly metadata: unknown;
}

/** The cohort of a node. Throws InvalidNodeError where the metadata is not of the form that Cohort describes. */
export function cohortOf(node: NodeFields): Cohort {
  const kind = /^grpc/i.test(node.userAgentName) ? 'grpc' : 'envoy';
  const wishes = (node.metadata as { switchyard?: unknown } | undefined)?.switchyard;
  if (wishes === undefined) return { kind };
  if (typeof wishes !== 'object' || wishes === null || Array.isArray(wishes)) {
    throw new InvalidNodeError(
      `node ${JSON.stringify(node.id)}: metadata.switchyard must be an object like {"listeners": ["gateway"]}, not ${excerpt(wishes)}`,
    );
  }
  for (const field of Object.keys(wishes)) {
    if (field !== 'listeners' && field !== 'services') {
      throw new InvalidNodeError(
        `node ${JSON.stringify(node.id)}: metadata.switchyard.${visible(field, 80)} is unknown; allowed are listeners and services`,
      );
    }
  }
  const listeners = nameList(node.id, 'listeners', wishes);
  const services = nameList(node.id, 'services', wishes);
  return { kind, ...(listeners && { listeners }), ...(services && { services }) };
}

function nameList(
  id: string,
  field: 'listeners' | 'services',
  wishes: object,
): readonly string[] | undefined {
  const value = (wishes as Record<string, unknown>)[field];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) {
    throw new InvalidNodeError(
      `node ${JSON.stringify(id)}: metadata.switchyard.${field} must be a list of names, not ${excerpt(value)}`,
    );
  }
  return [...new Set(value)].toSorted();
}

const keys = new WeakMap<Cohort, string>();

/** The same text for equal cohorts. */
export function cohortKey(cohort: Cohort): string {
  let key = keys.get(cohort);
  if (key === undefined) {
    key = JSON.stringify([cohort.kind, cohort.listeners ?? '*', cohort.services ?? '*']);
    keys.set(cohort, key);
  }
  return key;
}

/**
 * The resources that concern a cohort: the listeners and routes that it asks for; the clusters that these routes name,
 * and those of the same services that no route names yet; and the endpoints of these clusters.
 */
export function selectFor<Item extends TranslatedResource>(
  cohort: Cohort,
  all: readonly Item[],
): readonly Item[] {
  if (cohort.listeners === undefined && cohort.services === undefined) return all;
  const listeners = cohort.listeners && new Set(cohort.listeners);
  const services = cohort.services && new Set(cohort.services);
  const wanted = (item: TranslatedResource): boolean =>
    (services === undefined || item.services.some((name) => services.has(name))) &&
    (listeners === undefined || item.listeners.some((name) => listeners.has(name)));
  const entrances = all.filter(
    (item) => (item.type === 'listeners' || item.type === 'routes') && wanted(item),
  );
  const named = new Set(entrances.flatMap((item) => (item.type === 'routes' ? item.references : [])));
  const served = new Set<string>(entrances.flatMap((item) => item.services));
  for (const name of cohort.listeners === undefined ? (cohort.services ?? []) : []) served.add(name);
  const clusters = all.filter(
    (item) =>
      item.type === 'clusters' && (named.has(item.name) || item.services.some((name) => served.has(name))),
  );
  const assigned = new Set(clusters.flatMap((item) => item.references));
  const endpoints = all.filter((item) => item.type === 'endpoints' && assigned.has(item.name));
  return [...entrances, ...clusters, ...endpoints];
}
