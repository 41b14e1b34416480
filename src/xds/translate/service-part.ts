/** What one service adds to the resources: its clusters and endpoints, its virtual hosts, and all that gRPC clients take. */
import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { ClusterSchema } from '../../gen/envoy/config/cluster/v3/cluster_pb.js';
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from '../../gen/envoy/config/endpoint/v3/endpoint_pb.js';
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.js';
import { VirtualHostSchema } from '../../gen/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.js';
import type { ListenerName, ServiceName } from '../../model/names.ts';
import { reachableVersions } from '../../model/rules.ts';
import type { RoutedVersion, ServiceRoutes } from '../../model/table.ts';
import type { TranslatedResource } from '../resource.ts';
import { endpointsOf, envoyCluster } from './clusters.ts';
import { grpcCluster, grpcListener, grpcRouteTable, noEndpoints } from './grpc.ts';
import type { Remember } from './memory.ts';
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
export function servicePart(routes: ServiceRoutes, remember: Remember): ServicePart {
  const { service } = routes;
  // A version is made of much less than its service: a flip leaves all of them as they were.
  const versions = routes.versions.map((routed) => versionPart(routes, routed, remember));
  const entrance = remember(['gRPC', service], () => grpcEntrance(service));
  return remember(['service', routes], () => {
    const named = clustersNamedBy(routes);
    return {
      envoy: versions.flatMap(({ envoy }) => envoy),
      grpc: [
        ...entrance.refusal,
        ...versions.flatMap(({ grpc }) => grpc),
        entrance.listener,
        grpcRoutes(routes, named),
      ],
      virtualHosts: new Map(
        routes.listeners.map(({ name, domains }) => [
          name,
          bytesOf(VirtualHostSchema, create(VirtualHostSchema, virtualHost(routes, domains))),
        ]),
      ),
      named,
    };
  });
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

/** The clusters and endpoints of one version. */
function versionPart(
  routes: ServiceRoutes,
  routed: RoutedVersion,
  remember: Remember,
): Pick<ServicePart, 'envoy' | 'grpc'> {
  const { service, upstream } = routes;
  const { version, endpoints } = routed;
  const name = clusterName(service, version);
  const assigned = remember(['endpoints', service, version, endpoints], () =>
    endpointsCalled(name, service, endpointsOf(routes, routed)),
  );
  const envoy = remember(['cluster', service, version, upstream], () => cluster(routes, routed));
  const grpc = remember(['gRPC cluster', service, version], () => grpcClusterCalled(name, service));
  return { envoy: [envoy, assigned], grpc: [grpc, assigned] };
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

function endpointsCalled(
  name: string,
  service: ServiceName,
  assignment: ClusterLoadAssignment,
): TranslatedResource {
  return {
    type: 'endpoints',
    name,
    bytes: bytesOf(ClusterLoadAssignmentSchema, assignment),
    references: [],
    services: [service],
    listeners: [],
  };
}

function grpcClusterCalled(name: string, service: ServiceName): TranslatedResource {
  return {
    type: 'clusters',
    name,
    bytes: bytesOf(ClusterSchema, grpcCluster(name)),
    references: [name],
    services: [service],
    listeners: [],
  };
}

/** A gRPC client knows services, not listeners: each service has an API listener, and a cluster that refuses. */
function grpcEntrance(service: ServiceName): {
  readonly refusal: readonly TranslatedResource[];
  readonly listener: TranslatedResource;
} {
  const name = refusalClusterName(service);
  return {
    refusal: [grpcClusterCalled(name, service), endpointsCalled(name, service, noEndpoints(service))],
    listener: {
      type: 'listeners',
      name: service,
      bytes: bytesOf(ListenerSchema, grpcListener(service)),
      references: [service],
      services: [service],
      listeners: [],
    },
  };
}

/** The route table of a service for gRPC clients. */
function grpcRoutes(routes: ServiceRoutes, named: readonly string[]): TranslatedResource {
  const { service } = routes;
  return {
    type: 'routes',
    name: service,
    bytes: bytesOf(RouteConfigurationSchema, grpcRouteTable(routes)),
    references: [refusalClusterName(service), ...named].toSorted(),
    services: [service],
    listeners: [],
  };
}
