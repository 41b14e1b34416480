/**
 * The current table as one static Envoy configuration that runs without a controller: the way out, and a check that
 * what proxies are told is complete. Route tables and endpoints are written where they are referred to.
 */
import { type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import type { RoutingTable } from '../model/table.ts';
import { type BootstrapOptions, processConfiguration } from './bootstrap.ts';
import { resourceToJson } from './json.ts';
import type { ResourceType, TranslatedResource } from './resource.ts';
import { translate } from './translate/index.ts';

/** A configuration for `envoy -c`, as JSON, which is YAML too. */
export function exportEnvoy(
  table: RoutingTable,
  options: Pick<BootstrapOptions, 'admin' | 'accessLog'>,
): JsonObject {
  const { envoy } = translate(withoutReports(table));
  const tables = byName(envoy, 'routes');
  const endpoints = byName(envoy, 'endpoints');
  return {
    ...processConfiguration(options),
    static_resources: {
      listeners: [...byName(envoy, 'listeners').values()].map((listener) => withRoutes(listener, tables)),
      clusters: [...byName(envoy, 'clusters').values()].map((cluster) => withEndpoints(cluster, endpoints)),
    },
  };
}

/** Nobody is there to report requests to. */
function withoutReports({ services }: RoutingTable): RoutingTable {
  return {
    services: services.map((routes) => ({
      ...routes,
      listeners: routes.listeners.map((binding) => ({ ...binding, accessLog: false })),
    })),
  };
}

function byName(resources: readonly TranslatedResource[], wanted: ResourceType): Map<string, JsonObject> {
  const found = resources.filter(({ type }) => type === wanted);
  return new Map(found.map(({ type, name, bytes }) => [name, object(resourceToJson(type, bytes))]));
}

/** Replaces `rds` by the route table itself, wherever the connection manager stands. */
function withRoutes(value: JsonObject, tables: ReadonlyMap<string, JsonObject>): JsonObject {
  const entries = Object.entries(value).map(([key, part]): [string, JsonValue] => {
    if (key !== 'rds') return [key, descend(part, tables)];
    return ['route_config', required(tables, text(object(part)['route_config_name']))];
  });
  return Object.fromEntries(entries);
}

function descend(value: JsonValue, tables: ReadonlyMap<string, JsonObject>): JsonValue {
  if (Array.isArray(value)) return value.map((part) => descend(part, tables));
  return typeof value === 'object' && value !== null ? withRoutes(value, tables) : value;
}

function withEndpoints(cluster: JsonObject, endpoints: ReadonlyMap<string, JsonObject>): JsonObject {
  const { eds_cluster_config: source, type, ...rest } = cluster;
  const name = text(object(source ?? null)['service_name']);
  return {
    ...rest,
    type: type === 'EDS' ? 'STATIC' : text(type),
    load_assignment: required(endpoints, name),
  };
}

function text(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw new Error(`${JSON.stringify(value)} must be text in Envoy's JSON`);
  return value;
}

function required(found: ReadonlyMap<string, JsonObject>, name: string): JsonObject {
  const value = found.get(name);
  if (value === undefined) throw new Error(`nothing is called ${name}`);
  return value;
}

function object(value: JsonValue): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`expected a JSON object, not ${JSON.stringify(value)}`);
  }
  return value;
}
