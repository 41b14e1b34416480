/**
 * A listener for probes and for Prometheus: it passes two pages of Envoy's admin interface on. That interface itself can
 * stop the process, so it stays on loopback, where neither a kubelet nor Prometheus reaches it.
 */
import type { JsonObject } from '@bufbuild/protobuf';
import type { SocketAddress } from '../model/spec.ts';

const PAGES = ['/ready', '/stats/prometheus'] as const;
const ADMIN_CLUSTER = 'switchyard_admin';
const HTTP_MANAGER =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

/** Answers GET of the two pages, and 404 to everything else. */
export function statsListener(address: SocketAddress): JsonObject {
  const routes = PAGES.map((path) => ({
    match: { path, headers: [{ name: ':method', string_match: { exact: 'GET' } }] },
    route: { cluster: ADMIN_CLUSTER },
  }));
  return {
    name: 'switchyard_stats',
    address: socketAddress(address),
    // Proxies are measured by what their listeners for services count.
    stat_prefix: 'switchyard_stats',
    filter_chains: [
      {
        filters: [
          {
            name: 'http',
            typed_config: {
              '@type': HTTP_MANAGER,
              stat_prefix: 'switchyard_stats',
              route_config: { virtual_hosts: [{ name: 'stats', domains: ['*'], routes }] },
              http_filters: [{ name: 'router', typed_config: { '@type': ROUTER } }],
            },
          },
        ],
      },
    ],
  };
}

/** Envoy's own admin interface as a cluster. */
export function adminCluster(admin: SocketAddress): JsonObject {
  return {
    name: ADMIN_CLUSTER,
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: ADMIN_CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(admin) } }] }],
    },
  };
}

export function socketAddress({ host, port }: SocketAddress): JsonObject {
  return { socket_address: { address: host, port_value: port } };
}
