/**
 * From the routing table to the resources that proxies take. Pure, and equal tables give equal bytes: the order of
 * everything comes from the table, which is sorted.
 */
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.js';
import type { ListenerName } from '../../model/names.ts';
import type { ListenerBinding } from '../../model/spec.ts';
import { listenersOf, type RoutingTable, type ServiceRoutes } from '../../model/table.ts';
import type { TranslatedResource, Translation } from '../resource.ts';
import { envoyListener } from './listeners.ts';
import { routeTable } from './routes.ts';
import { bytesOf, type ServicePart, servicePart } from './service-part.ts';

/** The resources of `table` for Envoy and for proxyless gRPC. Throws where routes name a version without a cluster. */
export function translate(table: RoutingTable): Translation {
  return createTranslator()(table);
}

/**
 * A `translate` that remembers its last table: services that are as they were are not encoded again, so the work of a
 * publish grows with what changed. The result is the same as without the memory.
 */
export function createTranslator(): (table: RoutingTable) => Translation {
  let known: ReadonlyMap<string, ServicePart> = new Map();
  return (table) => {
    const keys = table.services.map((routes) => JSON.stringify(routes));
    const parts = table.services.map((routes, index) => known.get(keys[index] ?? '') ?? servicePart(routes));
    known = new Map(parts.map((part, index) => [keys[index] ?? '', part]));
    const partOf = new Map(table.services.map((routes, index) => [routes, parts[index]]));
    const entrances = [...listenersOf(table)].flatMap(([name, services]) => [
      listener(name, services),
      routesOf(name, services, partOf),
    ]);
    return {
      envoy: [...parts.flatMap(({ envoy }) => envoy), ...entrances],
      grpc: parts.flatMap(({ grpc }) => grpc),
    };
  };
}

function listener(name: ListenerName, services: readonly ServiceRoutes[]): TranslatedResource {
  return {
    type: 'listeners',
    name,
    bytes: bytesOf(ListenerSchema, envoyListener(bindingOf(name, services))),
    references: [name],
    services: services.map(({ service }) => service),
    listeners: [name],
  };
}

function routesOf(
  name: ListenerName,
  services: readonly ServiceRoutes[],
  partOf: ReadonlyMap<ServiceRoutes, ServicePart | undefined>,
): TranslatedResource {
  const parts = services.flatMap((routes) => partOf.get(routes) ?? []);
  return {
    type: 'routes',
    name,
    bytes: routeTable(
      name,
      parts.flatMap(({ virtualHosts }) => virtualHosts.get(name) ?? []),
    ),
    references: parts.flatMap(({ named }) => named).toSorted(),
    services: services.map(({ service }) => service),
    listeners: [name],
  };
}

/** Services that share a listener agree on its address; apply refuses those that do not. */
function bindingOf(name: ListenerName, services: readonly ServiceRoutes[]): ListenerBinding {
  for (const { listeners } of services) {
    const binding = listeners.find((candidate) => candidate.name === name);
    if (binding !== undefined) return binding;
  }
  throw new Error(`no service binds the listener ${name}`);
}
