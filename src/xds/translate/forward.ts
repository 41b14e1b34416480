/**
 * Routes that forward: to one version, or to two by weight. No timeout and no idle timeout, because any request may
 * be a stream that lasts for hours. Only what cannot have begun is retried.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import type {
  RetryPolicySchema,
  RouteAction_HashPolicySchema,
  RouteAction_RequestMirrorPolicySchema,
  RouteActionSchema,
} from '../../gen/envoy/config/route/v3/route_components_pb.js';
import { PreviousHostsPredicateSchema } from '../../gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import type { ServiceName, VersionName } from '../../model/names.ts';
import type { ServiceRoutes } from '../../model/table.ts';
import { overwriteHeader } from './answers.ts';
import { duration } from './duration.ts';
import { MIRROR_HEADER, VERSION_HEADER } from './headers.ts';
import type { Route } from './matching.ts';
import { clusterName, mirrorClusterName } from './names.ts';
import { routeName } from './route-names.ts';

/** Shares of the traffic, in the order in which a hash is compared with them; they sum to 100. */
export type Shares = readonly { readonly version: VersionName; readonly weight: number }[];

/** How a route changes a request and where it sends it. */
export interface Forward {
  readonly routes: ServiceRoutes;
  readonly shares: Shares;
  /** Request headers that do not count here and that the instance must not see. */
  readonly remove: readonly string[];
  /** What a share is chosen by; absent where there is one. */
  readonly chooseBy?: readonly HashPolicy[];
  /** A retry may go to the other version. Where it may not, the virtual host's policy holds. */
  readonly retryMayMove: boolean;
  /** What chose the version: it goes into the route's name, which access logs tell. */
  readonly by: 'Default' | 'Pin' | 'Hold' | 'Cohort';
  /** The route takes this share of the requests that reach it, and copies each of them. Absent: it takes all, without copies. */
  readonly copies?: Copies;
}

/** Where copies go, and of how many percent of the requests. */
export interface Copies {
  readonly version: VersionName;
  readonly percent: number;
}

export type HashPolicy = MessageInitShape<typeof RouteAction_HashPolicySchema>;

/** The same hash for the same tenant; the salt makes another shift choose other tenants first. */
export function byTenant(header: string, salt: string): HashPolicy {
  return {
    policySpecifier: {
      case: 'header',
      value: {
        headerName: header,
        regexRewrite: { pattern: { regex: '^' }, substitution: `${salt}-`.replaceAll('\\', '\\\\') },
      },
    },
    terminal: true,
  };
}

/** The same hash for the same client address. */
export const BY_SOURCE_ADDRESS: HashPolicy = {
  policySpecifier: { case: 'connectionProperties', value: { sourceIp: true } },
};

const PREVIOUS_HOSTS = create(PreviousHostsPredicateSchema);

/** One route that takes every request, or a share of them where it makes copies. */
export function forward(forwarding: Forward): Route {
  const { routes, shares, remove, chooseBy, retryMayMove, by, copies } = forwarding;
  const { service } = routes;
  const only = shares.length === 1 ? shares[0] : undefined;
  const action = {
    timeout: duration(0),
    idleTimeout: duration(0),
    ...(retryMayMove ? retries(routes, 'MayMove') : {}),
    ...(chooseBy === undefined ? {} : { hashPolicy: [...chooseBy] }),
    ...(copies === undefined ? {} : { requestMirrorPolicies: [mirrorPolicy(service, copies)] }),
  };
  return {
    name: routeName({ service, route: by, ...(copies === undefined ? {} : { copiedTo: copies.version }) }),
    match: {
      pathSpecifier: { case: 'prefix', value: '/' },
      ...(copies === undefined ? {} : { runtimeFraction: { defaultValue: { numerator: copies.percent } } }),
    },
    action: { case: 'route', value: { ...action, clusterSpecifier: target(routes, shares) } },
    requestHeadersToRemove: [...remove],
    responseHeadersToAdd: only === undefined ? [] : [overwriteHeader(VERSION_HEADER, only.version)],
  };
}

/**
 * Copies every request of the route: which of them is chosen by the route's match, so that the access log knows. The mark
 * replaces whatever a client sent under that name; the host stays as it was, because instances may look at it.
 */
function mirrorPolicy(
  service: ServiceName,
  { version }: Copies,
): MessageInitShape<typeof RouteAction_RequestMirrorPolicySchema> {
  return {
    cluster: mirrorClusterName(service, version),
    disableShadowHostSuffixAppend: true,
    traceSampled: false,
    requestHeadersMutations: [{ action: { case: 'append', value: overwriteHeader(MIRROR_HEADER, '1') } }],
  };
}

type Target = NonNullable<MessageInitShape<typeof RouteActionSchema>['clusterSpecifier']>;

function target({ service }: ServiceRoutes, shares: Shares): Target {
  const only = shares.length === 1 ? shares[0] : undefined;
  if (only !== undefined) return { case: 'cluster', value: clusterName(service, only.version) };
  return {
    case: 'weightedClusters',
    value: {
      clusters: shares.map(({ version, weight }) => ({
        name: clusterName(service, version),
        weight,
        responseHeadersToAdd: [overwriteHeader(VERSION_HEADER, version)],
      })),
      randomValueSpecifier: { case: 'useHashPolicy', value: { value: true } },
    },
  };
}

/**
 * Retries of what cannot have begun. `Stay`: on the version that was chosen. `MayMove`: in a split the next attempt takes
 * the other side (Envoy 1.39 and newer).
 */
export function retries(
  { retries: count }: ServiceRoutes,
  where: 'Stay' | 'MayMove',
): { retryPolicy?: MessageInitShape<typeof RetryPolicySchema> } {
  if (count === 0) return {};
  return {
    retryPolicy: {
      retryOn: 'connect-failure,refused-stream',
      numRetries: count,
      retryHostPredicate: [
        {
          name: 'envoy.retry_host_predicates.previous_hosts',
          configType: { case: 'typedConfig', value: anyPack(PreviousHostsPredicateSchema, PREVIOUS_HOSTS) },
        },
      ],
      hostSelectionRetryMaxAttempts: 3n,
      refreshClusterOnRetry: where === 'MayMove',
    },
  };
}
