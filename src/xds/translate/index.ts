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
import { createMemory, type Remember } from './memory.ts';
import { routeTable } from './routes.ts';
import { bytesOf, type ServicePart, servicePart } from './service-part.ts';

/** The resources of `table` for Envoy and for proxyless gRPC. Throws where routes name a version without a cluster. */
export function translate(table: RoutingTable): Translation {
  return createTranslator()(table);
}

/**
 * A `translate` that remembers its last table: what is as it was is not encoded again. The result is the same as without
 * the memory.
 */
export function createTranslator(): (table: RoutingTable) => Translation {
  const memory = createMemory();
  return (whole) => {
    memory.turn();
    const table = { services: whole.services.filter(({ withoutProxies }) => withoutProxies !== true) };
    const parts = table.services.map((routes) => servicePart(routes, memory.remember));
    const partOf = new Map(table.services.map((routes, index) => [routes, parts[index]]));
    const entrances = [...listenersOf(table)].flatMap(([name, services]) => [
      listener(name, services, memory.remember),
      routesOf(name, services, partOf),
    ]);
    return {
      envoy: [...parts.flatMap(({ envoy }) => envoy), ...entrances],
      grpc: parts.flatMap(({ grpc }) => grpc),
    };
  };
}

function listener(
  name: ListenerName,
  sharing: readonly ServiceRoutes[],
  remember: Remember,
): TranslatedResource {
  const binding = bindingOf(name, sharing);
  const services = sharing.map(({ service }) => service);
  return remember(['listener', binding, services], () => ({
    type: 'listeners',
    name,
    bytes: bytesOf(ListenerSchema, envoyListener(binding)),
    references: [name],
    services,
    listeners: [name],
  }));
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

/** Services that share a listener agree on its address; apply refuses those that do not. It reports where one of them asks. */
function bindingOf(name: ListenerName, services: readonly ServiceRoutes[]): ListenerBinding {
  const bindings = services.flatMap(({ listeners }) => listeners.filter((binding) => binding.name === name));
  const [first] = bindings;
  if (first === undefined) throw new Error(`no service binds the listener ${name}`);
  return { ...first, accessLog: bindings.some(({ accessLog }) => accessLog) };
}
