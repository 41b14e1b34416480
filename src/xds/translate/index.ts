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
import { reachableVersions } from '../../model/rules.ts';
import type { ListenerBinding } from '../../model/spec.ts';
import { listenersOf, type RoutedVersion, type RoutingTable, type ServiceRoutes } from '../../model/table.ts';
import type { TranslatedResource, Translation } from '../resource.ts';
import { endpointsOf, envoyCluster } from './clusters.ts';
import { grpcCluster, grpcListener, grpcRouteTable, noEndpoints } from './grpc.ts';
import { envoyListener } from './listeners.ts';
import { clusterName, refusalClusterName } from './names.ts';
import { routeTable } from './routes.ts';

/** The resources of `table` for Envoy and for proxyless gRPC. */
export function translate(table: RoutingTable): Translation {
  return { envoy: envoyResources(table), grpc: table.services.flatMap(grpcResources) };
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

/** A gRPC client knows services, not listeners: each service has an API listener and a route table of its own. */
function grpcResources(routes: ServiceRoutes): TranslatedResource[] {
  const { service } = routes;
  const refusal = refusalClusterName(service);
  const common = { services: [service], listeners: [] };
  const clusterCalled = (name: string): TranslatedResource => ({
    type: 'clusters',
    name,
    bytes: bytesOf(ClusterSchema, grpcCluster(name)),
    references: [name],
    ...common,
  });
  return [
    clusterCalled(refusal),
    {
      type: 'endpoints',
      name: refusal,
      bytes: bytesOf(ClusterLoadAssignmentSchema, noEndpoints(service)),
      references: [],
      ...common,
    },
    ...routes.versions.flatMap((routed) => [
      clusterCalled(clusterName(service, routed.version)),
      endpoints(routes, routed),
    ]),
    {
      type: 'listeners',
      name: service,
      bytes: bytesOf(ListenerSchema, grpcListener(service)),
      references: [service],
      ...common,
    },
    {
      type: 'routes',
      name: service,
      bytes: bytesOf(RouteConfigurationSchema, grpcRouteTable(routes)),
      references: [refusal, ...clustersNamedBy(routes)].toSorted(),
      ...common,
    },
  ];
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
  const clusters = services.flatMap(clustersNamedBy);
  return {
    type: 'routes',
    name,
    bytes: bytesOf(RouteConfigurationSchema, routeTable(name, services)),
    references: clusters.toSorted(),
    services: services.map(({ service }) => service),
    listeners: [name],
  };
}

/** The clusters that the routes of a service name. Each of them must be in the table: proxies refuse others. */
function clustersNamedBy(routes: ServiceRoutes): readonly string[] {
  const { service, versions } = routes;
  return reachableVersions(routes).map((version) => {
    if (versions.some((routed) => routed.version === version)) return clusterName(service, version);
    throw new Error(`routes of ${service} name the version ${version}, which has no cluster in the table`);
  });
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
