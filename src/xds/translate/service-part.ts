/** What one service adds to the resources: its clusters and endpoints, its virtual hosts, and all that gRPC clients take. */
import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { ClusterSchema } from '../../gen/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterLoadAssignmentSchema } from '../../gen/envoy/config/endpoint/v3/endpoint_pb.js';
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.js';
import { VirtualHostSchema } from '../../gen/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.js';
import type { ListenerName } from '../../model/names.ts';
import { reachableVersions } from '../../model/rules.ts';
import type { RoutedVersion, ServiceRoutes } from '../../model/table.ts';
import type { TranslatedResource } from '../resource.ts';
import { endpointsOf, envoyCluster } from './clusters.ts';
import { grpcCluster, grpcListener, grpcRouteTable, noEndpoints } from './grpc.ts';
import { clusterName, refusalClusterName } from './names.ts';
import { virtualHost } from './virtual-host.ts';

export interface ServicePart {
  /** Clusters and endpoints for Envoy. */
  readonly envoy: readonly TranslatedResource[];
  readonly grpc: readonly TranslatedResource[];
  /** The encoded virtual host on each listener. */
  readonly virtualHosts: ReadonlyMap<ListenerName, Uint8Array>;
  /** The clusters that the virtual hosts name. */
  readonly named: readonly string[];
}

/** Throws where the routes name a version without a cluster: proxies would refuse the whole route table. */
export function servicePart(routes: ServiceRoutes): ServicePart {
  const named = clustersNamedBy(routes);
  return {
    envoy: routes.versions.flatMap((routed) => [cluster(routes, routed), endpoints(routes, routed)]),
    grpc: grpcResources(routes, named),
    virtualHosts: new Map(
      routes.listeners.map(({ name, domains }) => [
        name,
        bytesOf(VirtualHostSchema, create(VirtualHostSchema, virtualHost(routes, domains))),
      ]),
    ),
    named,
  };
}

/** The binary form: the same bytes for the same message, as fields are written in the order of their numbers. */
export function bytesOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array {
  return toBinary(schema, message);
}

function clustersNamedBy(routes: ServiceRoutes): readonly string[] {
  const { service, versions } = routes;
  return reachableVersions(routes).map((version) => {
    if (versions.some((routed) => routed.version === version)) return clusterName(service, version);
    throw new Error(`routes of ${service} name the version ${version}, which has no cluster in the table`);
  });
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

/** A gRPC client knows services, not listeners: each service has an API listener and a route table of its own. */
function grpcResources(routes: ServiceRoutes, named: readonly string[]): TranslatedResource[] {
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
      references: [refusal, ...named].toSorted(),
      ...common,
    },
  ];
}
