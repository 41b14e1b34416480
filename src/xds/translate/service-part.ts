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
import { copiesOf, reachableVersions } from '../../model/rules.ts';
import type { RoutedVersion, ServiceRoutes } from '../../model/table.ts';
import type { TranslatedResource } from '../resource.ts';
import { endpointsOf, envoyCluster, mirrorCluster } from './clusters.ts';
import { grpcCluster, grpcListener, grpcRouteTable, noEndpoints } from './grpc.ts';
import type { Remember } from './memory.ts';
import { clusterName, mirrorClusterName, refusalClusterName } from './names.ts';
import { virtualHost } from './virtual-host.ts';

export interface ServicePart {
  /** Clusters and endpoints for Envoy. */
  readonly envoy: readonly TranslatedResource[];
  readonly grpc: readonly TranslatedResource[];
  /** The encoded virtual host on each listener. */
  readonly virtualHosts: ReadonlyMap<ListenerName, Uint8Array>;
  /** The clusters that the virtual hosts name, sorted. */
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
    const copies = clusterForCopies(routes);
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
      named: [...named, ...copies].toSorted(),
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

/** The cluster that the virtual hosts name beside those of versions; none where nothing is copied. */
function clusterForCopies(routes: ServiceRoutes): readonly string[] {
  const { service, versions } = routes;
  const mirror = copiesOf(routes);
  if (mirror === undefined) return [];
  const takes = versions.some(
    ({ version, takesCopies }) => version === mirror.version && takesCopies === true,
  );
  if (takes) return [mirrorClusterName(service, mirror.version)];
  throw new Error(
    `routes of ${service} copy to the version ${mirror.version}, which has no cluster for copies`,
  );
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
    endpointsCalled(name, service, endpointsOf(name, routed)),
  );
  const envoy = remember(['cluster', service, version, upstream], () => cluster(routes, routed));
  const grpc = remember(['gRPC cluster', service, version], () => grpcClusterCalled(name, service));
  return { envoy: [envoy, assigned, ...copiesPart(routes, routed, remember)], grpc: [grpc, assigned] };
}

/** The cluster for copies, with the same endpoints, of a version that takes them. Only Envoy makes copies. */
function copiesPart(
  routes: ServiceRoutes,
  routed: RoutedVersion,
  remember: Remember,
): readonly TranslatedResource[] {
  if (routed.takesCopies !== true) return [];
  const { service, upstream } = routes;
  const { version, endpoints } = routed;
  const name = mirrorClusterName(service, version);
  return [
    remember(['cluster for copies', service, version, upstream], () =>
      clusterOf(name, service, bytesOf(ClusterSchema, mirrorCluster(routes, routed))),
    ),
    remember(['endpoints for copies', service, version, endpoints], () =>
      endpointsCalled(name, service, endpointsOf(name, routed)),
    ),
  ];
}

function cluster(routes: ServiceRoutes, routed: RoutedVersion): TranslatedResource {
  const name = clusterName(routes.service, routed.version);
  const whole = bytesOf(ClusterSchema, envoyCluster(routes, routed, 'WithHealthChecks'));
  return {
    ...clusterOf(name, routes.service, whole),
    ...(routes.upstream.healthCheck === undefined
      ? {}
      : { creationBytes: bytesOf(ClusterSchema, envoyCluster(routes, routed, 'WithoutHealthChecks')) }),
  };
}

function clusterOf(name: string, service: ServiceName, bytes: Uint8Array): TranslatedResource {
  return { type: 'clusters', name, bytes, references: [name], services: [service], listeners: [] };
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
  return clusterOf(name, service, bytesOf(ClusterSchema, grpcCluster(name)));
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
