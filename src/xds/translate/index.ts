/**
 * From the routing table to the resources that proxies take. Pure, and equal tables give equal bytes: the order of
 * everything comes from the table, which is sorted.
 */
import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { ClusterSchema } from '../../gen/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterLoadAssignmentSchema } from '../../gen/envoy/config/endpoint/v3/endpoint_pb.js';
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.js';
import type { ListenerName } from '../../model/names.ts';
import type { ListenerBinding } from '../../model/spec.ts';
import { listenersOf, type RoutedVersion, type RoutingTable, type ServiceRoutes } from '../../model/table.ts';
import type { TranslatedResource, Translation } from '../resource.ts';
import { endpointsOf, envoyCluster } from './clusters.ts';
import { envoyListener } from './listeners.ts';
import { clusterName } from './names.ts';
import { routeTable } from './routes.ts';

/** The resources of `table` for Envoy and for proxyless gRPC. */
export function translate(table: RoutingTable): Translation {
  return { envoy: envoyResources(table), grpc: [] };
}

function envoyResources(table: RoutingTable): TranslatedResource[] {
  const clusters = table.services.flatMap((routes) =>
    routes.versions.flatMap((routed) => [cluster(routes, routed), endpoints(routes, routed)]),
  );
  const listeners = [...listenersOf(table)].flatMap(([name, services]) => [
    listener(name, services),
    routesOf(name, services),
  ]);
  return [...clusters, ...listeners];
}

function cluster(routes: ServiceRoutes, routed: RoutedVersion): TranslatedResource {
  const name = clusterName(routes.service, routed.version);
  return {
    type: 'clusters',
    name,
    bytes: bytesOf(ClusterSchema, envoyCluster(routes, routed, 'WithHealthChecks')),
    ...(routes.upstream.healthCheck === undefined
      ? {}
      : { creationBytes: bytesOf(ClusterSchema, envoyCluster(routes, routed, 'WithoutHealthChecks')) }),
    references: [name],
    services: [routes.service],
    listeners: [],
  };
}

function endpoints(routes: ServiceRoutes, routed: RoutedVersion): TranslatedResource {
  return {
    type: 'endpoints',
    name: clusterName(routes.service, routed.version),
    bytes: bytesOf(ClusterLoadAssignmentSchema, endpointsOf(routes, routed)),
    references: [],
    services: [routes.service],
    listeners: [],
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

function routesOf(name: ListenerName, services: readonly ServiceRoutes[]): TranslatedResource {
  const clusters = services.flatMap(({ service, versions }) =>
    versions.filter(({ access }) => access !== 'Refused').map(({ version }) => clusterName(service, version)),
  );
  return {
    type: 'routes',
    name,
    bytes: bytesOf(RouteConfigurationSchema, routeTable(name, services)),
    references: clusters.sort(),
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

function bytesOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array {
  return toBinary(schema, message);
}
