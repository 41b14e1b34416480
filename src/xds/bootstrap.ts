/**
 * The configuration that an Envoy starts with: who it is, where its controller is, how it comes back after the
 * controller was away, and how it labels statistics. Everything else it learns over xDS. TLS to the controller is not
 * covered: both are on one machine or in one trusted network.
 */
import type { JsonObject } from '@bufbuild/protobuf';
import type { Milliseconds } from '../model/instant.ts';
import type { ListenerName, ServiceName } from '../model/names.ts';
import type { SocketAddress } from '../model/spec.ts';
import { adminCluster, socketAddress, statsListener } from './stats-listener.ts';
import { ACCESS_LOG_RUNTIME_KEY } from './translate/access-log.ts';
import { CONTROLLER_CLUSTER, STATISTICS_TAGS } from './translate/names.ts';

/** What one proxy is started with. */
export interface BootstrapOptions {
  /** Unique among the proxies of a controller; it is the proxy's name in every list. */
  readonly nodeId: string;
  /** A group of proxies that do the same, for example `gateways`. */
  readonly nodeCluster: string;
  /** `sotw`: each response of a type holds all its resources; `delta`: only what changed. */
  readonly protocol: 'sotw' | 'delta';
  readonly controller: SocketAddress;
  /** Listeners to open; empty: all of them. */
  readonly listeners: readonly ListenerName[];
  /** Services to know; empty: all of them. */
  readonly services: readonly ServiceName[];
  /** Envoy's admin interface: keep it on loopback, it can stop the process. Port 0 takes a free one. */
  readonly admin: SocketAddress;
  /** Where `/ready` and `/stats/prometheus` of the admin interface can be read, and nothing else of it; absent: nowhere. */
  readonly stats?: SocketAddress;
  /** Writes a line for each request to standard output. */
  readonly accessLog: boolean;
  /**
   * `FailClosed`: the proxy is not ready before its controller has answered. `ReadyAnyway`: after 30 s without an answer it
   * reports ready with no listener, which a load balancer takes for healthy.
   */
  readonly withoutController: 'FailClosed' | 'ReadyAnyway';
}

/** Envoy's default of 30 s at most would delay a rollback that is ordered while the controller comes back. */
const RECONNECT = { base: 200, max: 3_000 } as const;
const KEEPALIVE = { interval: 30_000, timeout: 10_000 } as const;
const INITIAL_FETCH_TIMEOUT = { FailClosed: 0, ReadyAnyway: 15_000 } as const;

/** Envoy's own labels that its statistics have with our configuration, and with TLS in front of it. */
const DEFAULT_TAGS = [
  'envoy.http_conn_manager_prefix',
  'envoy.listener_address',
  'envoy.rds_route_config',
  'envoy.response_code',
  'envoy.response_code_class',
  'envoy.ssl_cipher',
  'envoy.ssl_version',
  'envoy.virtual_cluster',
  'envoy.virtual_host',
  'envoy.worker_id',
];

/** The bootstrap as JSON, which is YAML too. */
export function bootstrap(options: BootstrapOptions): JsonObject {
  return {
    node: {
      id: options.nodeId,
      cluster: options.nodeCluster,
      metadata: { switchyard: wishes(options) },
    },
    ...processConfiguration(options),
    dynamic_resources: {
      ads_config: {
        api_type: options.protocol === 'sotw' ? 'GRPC' : 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [
          {
            envoy_grpc: {
              cluster_name: CONTROLLER_CLUSTER,
              retry_policy: {
                retry_back_off: {
                  base_interval: seconds(RECONNECT.base),
                  max_interval: seconds(RECONNECT.max),
                },
              },
            },
          },
        ],
      },
      cds_config: overAds(options),
      lds_config: overAds(options),
    },
    static_resources: staticResources(options),
  };
}

function staticResources({ controller, admin, stats }: BootstrapOptions): JsonObject {
  if (stats === undefined) return { clusters: [controllerCluster(controller)] };
  return {
    listeners: [statsListener(stats)],
    clusters: [controllerCluster(controller), adminCluster(admin)],
  };
}

/** What concerns the process itself: the same for a proxy with a controller and for an exported one. */
export function processConfiguration({
  admin,
  accessLog,
}: Pick<BootstrapOptions, 'admin' | 'accessLog'>): JsonObject {
  return {
    admin: { address: socketAddress(admin) },
    stats_config: {
      // Ours must be the only one that reads a cluster's name; a second one for the same label warns at each statistic.
      use_all_default_tags: false,
      stats_tags: [
        ...STATISTICS_TAGS.map(({ tagName, regex }) => ({ tag_name: tagName, regex })),
        ...DEFAULT_TAGS.map((name) => ({ tag_name: name })),
      ],
    },
    ...(accessLog
      ? {
          layered_runtime: {
            layers: [{ name: 'bootstrap', static_layer: { [ACCESS_LOG_RUNTIME_KEY]: 100 } }],
          },
        }
      : {}),
  };
}

/** A list that is left out means all. */
function wishes({ listeners, services }: BootstrapOptions): JsonObject {
  return {
    ...(listeners.length === 0 ? {} : { listeners: [...listeners] }),
    ...(services.length === 0 ? {} : { services: [...services] }),
  };
}

function controllerCluster(controller: SocketAddress): JsonObject {
  return {
    name: CONTROLLER_CLUSTER,
    type: 'STRICT_DNS',
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: CONTROLLER_CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(controller) } }] }],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: {
          http2_protocol_options: {
            // A controller that is gone without a word would else be waited for until TCP gives up.
            connection_keepalive: {
              interval: seconds(KEEPALIVE.interval),
              timeout: seconds(KEEPALIVE.timeout),
            },
          },
        },
      },
    },
  };
}

function overAds({ withoutController }: BootstrapOptions): JsonObject {
  return {
    ads: {},
    resource_api_version: 'V3',
    initial_fetch_timeout: seconds(INITIAL_FETCH_TIMEOUT[withoutController]),
  };
}

function seconds(length: Milliseconds): string {
  return `${length / 1000}s`;
}
