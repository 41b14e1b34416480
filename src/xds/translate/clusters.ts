/**
 * The cluster of each version and its endpoints, as Envoy takes them. One cluster for each version: statistics, ejection
 * and limits of one version never touch another.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from '../../gen/envoy/config/cluster/v3/cluster_pb.js';
import type { OutlierDetectionSchema } from '../../gen/envoy/config/cluster/v3/outlier_detection_pb.js';
import { ApiVersion, type ConfigSourceSchema } from '../../gen/envoy/config/core/v3/config_source_pb.js';
import type { HealthCheckSchema } from '../../gen/envoy/config/core/v3/health_check_pb.js';
import type { LbEndpointSchema } from '../../gen/envoy/config/endpoint/v3/endpoint_components_pb.js';
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from '../../gen/envoy/config/endpoint/v3/endpoint_pb.js';
import { HttpProtocolOptionsSchema } from '../../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { CodecClientType } from '../../gen/envoy/type/v3/http_pb.js';
import type { HealthCheckSpec, OutlierDetectionSpec, SocketAddress, UpstreamSpec } from '../../model/spec.ts';
import type { RoutedVersion, ServiceRoutes } from '../../model/table.ts';
import { duration } from './duration.ts';
import { clusterName, mirrorClusterName, statisticsName } from './names.ts';

/** Envoy's own limit of 1024 would refuse the 1025th stream of a version; the instances know their limits better. */
export const NO_LIMIT = 1_000_000;

/** Copies that wait for their answers at one proxy; beyond, none are made, and nobody else notices. */
const MAX_COPIES = 1_024;
/** A copy that lasts longer is cut, so that those of a version that hangs do not pile up. */
const COPY_LASTS_AT_MOST = 60_000;

/** Websockets over HTTP/2 (RFC 8441) pass, where the instance takes them. */
const HTTP2 = { allowConnect: true };

/** Resources over the aggregated stream that the proxy already has. */
export const OVER_ADS = {
  configSourceSpecifier: { case: 'ads', value: {} },
  resourceApiVersion: ApiVersion.V3,
} as const satisfies MessageInitShape<typeof ConfigSourceSchema>;

/** The cluster of one version. Without health checks it is usable as soon as its endpoints are known. */
export function envoyCluster(
  { service, upstream }: ServiceRoutes,
  { version }: RoutedVersion,
  healthChecks: 'WithHealthChecks' | 'WithoutHealthChecks',
): Cluster {
  const { healthCheck, outlierDetection } = upstream;
  return create(ClusterSchema, {
    ...common({
      name: clusterName(service, version),
      upstream,
      options: protocolOptions(upstream),
      limit: NO_LIMIT,
    }),
    // A host that the controller took away goes at once, also while its health checks still pass.
    ignoreHealthOnHostRemoval: true,
    ...(outlierDetection === undefined ? {} : { outlierDetection: ejection(outlierDetection) }),
    ...(healthCheck === undefined || healthChecks === 'WithoutHealthChecks'
      ? {}
      : { healthChecks: [activeCheck(healthCheck, upstream.protocol)] }),
  });
}

/**
 * The cluster for copies of requests to one version. Nothing is ejected or checked: copies are there to measure, so what
 * fails is counted and not avoided.
 */
export function mirrorCluster({ service, upstream }: ServiceRoutes, { version }: RoutedVersion): Cluster {
  // A copy has lost its client's protocol, and would go out over HTTP/1; instances that take both take gRPC over HTTP/2.
  const protocol = upstream.protocol === 'Http1' ? 'Http1' : 'Http2';
  const options = {
    ...protocolOptions({ protocol }),
    commonHttpProtocolOptions: { maxStreamDuration: duration(COPY_LASTS_AT_MOST) },
  };
  return create(
    ClusterSchema,
    common({ name: mirrorClusterName(service, version), upstream, options, limit: MAX_COPIES }),
  );
}

/** What a version's cluster and its cluster for copies have in common. */
function common(of: {
  readonly name: string;
  readonly upstream: UpstreamSpec;
  readonly options: MessageInitShape<typeof HttpProtocolOptionsSchema>;
  /** Of connections and requests of one proxy at a time. */
  readonly limit: number;
}) {
  const { name, upstream, options, limit } = of;
  return {
    name,
    altStatName: statisticsName(name),
    clusterDiscoveryType: { case: 'type' as const, value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: OVER_ADS, serviceName: name },
    connectTimeout: duration(upstream.connectTimeout),
    circuitBreakers: {
      thresholds: [
        { maxConnections: limit, maxPendingRequests: limit, maxRequests: limit, maxRetries: limit },
      ],
    },
    // Above 0, a version whose hosts are all unhealthy would get traffic all the same (panic mode).
    commonLbConfig: { healthyPanicThreshold: { value: 0 } },
    // The kernel finds dead machines; a process that is only slow or stopped keeps its streams.
    upstreamConnectionOptions: {
      tcpKeepalive: { keepaliveTime: 60, keepaliveInterval: 10, keepaliveProbes: 6 },
    },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': anyPack(
        HttpProtocolOptionsSchema,
        create(HttpProtocolOptionsSchema, options),
      ),
    },
  } satisfies MessageInitShape<typeof ClusterSchema>;
}

/**
 * The ready endpoints of one version, by zone; the same for Envoy and for proxyless gRPC. gRPC chooses a locality by its weight
 * first, and leaves out one that has none: a zone weighs as much as it has endpoints, so that each endpoint gets its even share.
 * Envoy looks at hosts only, unless a cluster says otherwise, which ours do not.
 */
export function endpointsOf(cluster: string, { endpoints }: RoutedVersion): ClusterLoadAssignment {
  const zones = Map.groupBy(endpoints, ({ zone = '' }) => zone);
  const isOne = zones.size === 1;
  return create(ClusterLoadAssignmentSchema, {
    clusterName: cluster,
    endpoints: [...zones]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([zone, those]) => ({
        locality: zone === '' ? {} : { zone },
        loadBalancingWeight: isOne ? 1 : those.length,
        lbEndpoints: those.map(lbEndpoint),
      })),
  });
}

function lbEndpoint({ host, port }: SocketAddress): MessageInitShape<typeof LbEndpointSchema> {
  return {
    hostIdentifier: {
      case: 'endpoint' as const,
      value: {
        address: {
          address: {
            case: 'socketAddress' as const,
            value: { address: host, portSpecifier: { case: 'portValue' as const, value: port } },
          },
        },
      },
    },
    loadBalancingWeight: 1,
  };
}

type UpstreamProtocol = NonNullable<
  MessageInitShape<typeof HttpProtocolOptionsSchema>['upstreamProtocolOptions']
>;

function protocolOptions({ protocol }: Pick<UpstreamSpec, 'protocol'>): {
  readonly upstreamProtocolOptions: UpstreamProtocol;
} {
  switch (protocol) {
    case 'Http1':
      return explicit({ case: 'httpProtocolOptions', value: {} });
    case 'Http2':
      return explicit({ case: 'http2ProtocolOptions', value: HTTP2 });
    case 'SameAsClient':
      return {
        upstreamProtocolOptions: {
          case: 'useDownstreamProtocolConfig',
          value: { httpProtocolOptions: {}, http2ProtocolOptions: HTTP2 },
        },
      };
  }
}

function explicit(
  protocolConfig:
    | { case: 'httpProtocolOptions'; value: object }
    | { case: 'http2ProtocolOptions'; value: object },
): { readonly upstreamProtocolOptions: UpstreamProtocol } {
  return { upstreamProtocolOptions: { case: 'explicitHttpConfig', value: { protocolConfig } } };
}

/** Ejects by requests that fail, not by statistics over hosts: versions often have two instances. */
function ejection(spec: OutlierDetectionSpec): MessageInitShape<typeof OutlierDetectionSchema> {
  return {
    consecutive5xx: spec.consecutiveErrors,
    consecutiveGatewayFailure: spec.consecutiveErrors,
    enforcingConsecutiveGatewayFailure: 100,
    interval: duration(spec.interval),
    baseEjectionTime: duration(spec.baseEjectionTime),
    maxEjectionPercent: spec.maxEjectionPercent,
    enforcingSuccessRate: 0,
  };
}

function activeCheck(
  spec: HealthCheckSpec,
  protocol: UpstreamSpec['protocol'],
): MessageInitShape<typeof HealthCheckSchema> {
  return {
    interval: duration(spec.interval),
    // Until a host has taken its first request Envoy would check it once a minute only.
    noTrafficInterval: duration(spec.interval),
    timeout: duration(spec.timeout),
    healthyThreshold: spec.healthyThreshold,
    unhealthyThreshold: spec.unhealthyThreshold,
    healthChecker: checker(spec, protocol),
  };
}

function checker(
  spec: HealthCheckSpec,
  protocol: UpstreamSpec['protocol'],
): NonNullable<MessageInitShape<typeof HealthCheckSchema>['healthChecker']> {
  switch (spec.kind) {
    case 'http':
      // By default Envoy checks over HTTP/1, also where the instances take HTTP/2 only.
      return {
        case: 'httpHealthCheck',
        value: {
          path: spec.path,
          codecClientType: protocol === 'Http2' ? CodecClientType.HTTP2 : CodecClientType.HTTP1,
        },
      };
    case 'grpc':
      return { case: 'grpcHealthCheck', value: { serviceName: spec.service } };
    case 'tcp':
      return { case: 'tcpHealthCheck', value: {} };
  }
}
