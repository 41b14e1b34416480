/**
 * What a proxyless gRPC client takes (`xds:///manager`): an API listener and a route table of plain routes with header
 * matches, asked one by one. It knows no matcher tree, no direct response, no removal of headers and no hash for weights:
 * a refusal is a cluster without endpoints (UNAVAILABLE), a split is drawn for each call, tenants are capped, and nothing
 * is copied.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from '../../gen/envoy/config/cluster/v3/cluster_pb.js';
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from '../../gen/envoy/config/endpoint/v3/endpoint_pb.js';
import { type Listener, ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.js';
import type {
  HeaderMatcherSchema,
  RouteActionSchema,
  RouteMatchSchema,
  RouteSchema,
} from '../../gen/envoy/config/route/v3/route_components_pb.js';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '../../gen/envoy/config/route/v3/route_pb.js';
import { RouterSchema } from '../../gen/envoy/extensions/filters/http/router/v3/router_pb.js';
import { HttpConnectionManagerSchema } from '../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { ServiceName } from '../../model/names.ts';
import { type LookupRule, MAX_GRPC_HOLDS, type RefusalRule, type Rule, rulesOf } from '../../model/rules.ts';
import type { Scope } from '../../model/spec.ts';
import type { ServiceRoutes } from '../../model/table.ts';
import { NO_LIMIT, OVER_ADS } from './clusters.ts';
import { clusterName, refusalClusterName } from './names.ts';

type Route = MessageInitShape<typeof RouteSchema>;
type HeaderMatcher = MessageInitShape<typeof HeaderMatcherSchema>;
type PathMatch = NonNullable<MessageInitShape<typeof RouteMatchSchema>['pathSpecifier']>;
type Target = NonNullable<MessageInitShape<typeof RouteActionSchema>['clusterSpecifier']>;

const ANY_PATH: PathMatch = { case: 'prefix', value: '' };

/** The listener that a client of the service asks for by the service's name. */
export function grpcListener(service: ServiceName): Listener {
  const manager = create(HttpConnectionManagerSchema, {
    routeSpecifier: { case: 'rds', value: { routeConfigName: service, configSource: OVER_ADS } },
    httpFilters: [
      {
        name: 'envoy.filters.http.router',
        configType: { case: 'typedConfig', value: anyPack(RouterSchema, create(RouterSchema)) },
      },
    ],
  });
  return create(ListenerSchema, {
    name: service,
    apiListener: { apiListener: anyPack(HttpConnectionManagerSchema, manager) },
  });
}

/** The route table that the listener names. */
export function grpcRouteTable(routes: ServiceRoutes): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    name: routes.service,
    virtualHosts: [
      {
        name: routes.service,
        // The listener has chosen the service already; the authority may be anything.
        domains: ['*'],
        routes: [...rulesOf(routes).flatMap((rule) => routesOf(routes, rule)), defaultRoute(routes)],
      },
    ],
  });
}

/** The cluster of a version, or the one that refuses, by its name. */
export function grpcCluster(name: string): Cluster {
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: OVER_ADS, serviceName: name },
    circuitBreakers: { thresholds: [{ maxRequests: NO_LIMIT }] },
  });
}

/** The endpoints of the cluster that refuses: none, for ever. */
export function noEndpoints(service: ServiceName): ClusterLoadAssignment {
  return create(ClusterLoadAssignmentSchema, { clusterName: refusalClusterName(service) });
}

function routesOf(routes: ServiceRoutes, rule: Rule): Route[] {
  switch (rule.kind) {
    case 'Lookup':
      return pathsOf(routes.service, rule.scope).flatMap((path) => lookupRoutes(routes, rule, path));
    case 'Refusal':
      return rule.scopes
        .flatMap((scope) => pathsOf(routes.service, scope))
        .map((path) => route(path, believesPinned(rule), refused(routes)));
  }
}

function lookupRoutes(routes: ServiceRoutes, rule: LookupRule, path: PathMatch): Route[] {
  const { header } = rule;
  const limit = rule.name === 'Tenant' ? MAX_GRPC_HOLDS : undefined;
  const known = [...rule.targets]
    .slice(0, limit)
    .map(([value, { version }]) =>
      route(path, [textIs(header, value)], { case: 'cluster', value: clusterName(routes.service, version) }),
    );
  return rule.otherwise === 'Refuse' ? [...known, route(path, [isPresent(header)], refused(routes))] : known;
}

function believesPinned(rule: RefusalRule): HeaderMatcher[] {
  const { header, harmlessValue, unless } = rule;
  return [
    isPresent(header),
    ...(harmlessValue === undefined ? [] : [{ ...textIs(header, harmlessValue), invertMatch: true }]),
    isAbsent(unless),
  ];
}

function defaultRoute(routes: ServiceRoutes): Route {
  const { service, defaultRoute: target } = routes;
  switch (target.kind) {
    case 'Unavailable':
      return route(ANY_PATH, [], refused(routes));
    case 'Single':
      return route(ANY_PATH, [], { case: 'cluster', value: clusterName(service, target.version) });
    case 'Split':
      return route(ANY_PATH, [], {
        case: 'weightedClusters',
        value: {
          clusters: [
            { name: clusterName(service, target.candidate), weight: target.weight },
            { name: clusterName(service, target.primary), weight: 100 - target.weight },
          ],
          // Old clients refuse a sum that differs from this field, and take 100 where it is missing.
          totalWeight: 100,
        },
      });
  }
}

function route(pathSpecifier: PathMatch, headers: HeaderMatcher[], clusterSpecifier: Target): Route {
  return { match: { pathSpecifier, headers }, action: { case: 'route', value: { clusterSpecifier } } };
}

function refused({ service }: ServiceRoutes): Target {
  return { case: 'cluster', value: refusalClusterName(service) };
}

/** The paths that a scope covers. A client's host is the service's name: it cannot match anything else there. */
function pathsOf(service: ServiceName, scope: Scope): PathMatch[] {
  switch (scope.kind) {
    case 'everywhere':
      return [ANY_PATH];
    case 'nowhere':
      return [];
    case 'scoped':
      if (scope.hosts.includes(service)) return [ANY_PATH];
      return [...scope.paths.flatMap(below), ...scope.grpcServices.map((name) => prefix(`/${name}/`))];
  }
}

function below(path: string): PathMatch[] {
  return path.endsWith('/') ? [prefix(path)] : [{ case: 'path', value: path }, prefix(`${path}/`)];
}

function prefix(value: string): PathMatch {
  return { case: 'prefix', value };
}

function textIs(name: string, exact: string): HeaderMatcher {
  return {
    name,
    headerMatchSpecifier: { case: 'stringMatch', value: { matchPattern: { case: 'exact', value: exact } } },
  };
}

/** Whatever its value: to `presentMatch`, grpc-go (1.85) takes an empty value for no header at all. */
function isPresent(name: string): HeaderMatcher {
  const anything = { regex: '.*', engineType: { case: 'googleRe2', value: {} } } as const;
  return {
    name,
    headerMatchSpecifier: {
      case: 'stringMatch',
      value: { matchPattern: { case: 'safeRegex', value: anything } },
    },
  };
}

/** An inverted text match would not do: it needs a header to look at. */
function isAbsent(name: string): HeaderMatcher {
  return { name, headerMatchSpecifier: { case: 'presentMatch', value: true }, invertMatch: true };
}
