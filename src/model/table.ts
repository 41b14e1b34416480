/**
 * The routing table: routes, weights and endpoints in our own words, between what is recorded and what a proxy
 * reads. It holds no Envoy and no Kubernetes terms. routing/ builds it; xds/translate, explain and the admin API
 * read it. Every list is sorted, so equal content is equal text.
 */
import type { ListenerName, ServiceName, TenantName, VersionName } from './names.ts';
import type {
  Cohort,
  ListenerBinding,
  MirrorSpec,
  PinPolicy,
  SocketAddress,
  TenantKey,
  UpstreamSpec,
} from './spec.ts';

/** Everything that proxies are told, for all services. */
export interface RoutingTable {
  /** Sorted by service name. */
  readonly services: readonly ServiceRoutes[];
}

/** The routes of one service. */
export interface ServiceRoutes {
  readonly service: ServiceName;
  readonly listeners: readonly ListenerBinding[];
  readonly pin: PinPolicy;
  readonly tenantKey?: TenantKey;
  readonly upstream: UpstreamSpec;
  readonly retries: number;
  /** Versions whose cluster exists, sorted by name; some may only be kept for proxies that still hold routes to them. */
  readonly versions: readonly RoutedVersion[];
  readonly defaultRoute: DefaultRoute;
  /** Sorted by tenant. */
  readonly holds: readonly { readonly tenant: TenantName; readonly version: VersionName }[];
  /** Who reaches the candidate ahead of default traffic; a hold wins over it. Absent: nobody. */
  readonly cohort?: RoutedCohort;
  /** Which default requests are copied to the candidate; absent: none. */
  readonly mirror?: RoutedMirror;
  /** What a refusal tells the client. */
  readonly refusal: Refusal;
  /** Others lead to the service by routes of their own: proxies are told nothing of it. */
  readonly withoutProxies?: true;
}

/**
 * A version's cluster and who may reach it by pin. `Open`: every allowed pin. `Preview`: only where the pin's
 * `previewAllow` says so (still Deploying). `Refused`: nobody; the cluster stays until all proxies have acknowledged
 * the refusal.
 */
export interface RoutedVersion {
  readonly version: VersionName;
  readonly access: 'Open' | 'Preview' | 'Refused';
  /** Ready endpoints, sorted by host and port. */
  readonly endpoints: readonly RoutedEndpoint[];
  /**
   * It has a second cluster, for copies of requests: from the beginning of a rollout that mirrors until the next one
   * begins, so that no flip and no step changes a cluster.
   */
  readonly takesCopies?: true;
}

/** An address that takes requests. Every one of a version gets its even share, whatever its zone. */
export interface RoutedEndpoint extends SocketAddress {
  /** Absent: not told. */
  readonly zone?: string;
}

/** A cohort and the version that it reaches. Tenants and headers are sorted. */
export type RoutedCohort = Cohort & { readonly version: VersionName };

/** Which requests are copied, and to which version. Methods are sorted. */
export type RoutedMirror = MirrorSpec & { readonly version: VersionName };

/** Where requests without a pin go. */
export type DefaultRoute =
  /** No version has ever been ready: 503 with the reason. */
  | { readonly kind: 'Unavailable'; readonly reason: string }
  | { readonly kind: 'Single'; readonly version: VersionName }
  | {
      readonly kind: 'Split';
      readonly primary: VersionName;
      readonly candidate: VersionName;
      /** Percent for the candidate, 1 to 99; the primary has the rest. */
      readonly weight: number;
      readonly salt: string;
    };

/** The facts in a refusal (rule 1): code VERSION_NOT_ACTIVE. */
export interface Refusal {
  readonly activeVersions: readonly VersionName[];
  readonly primary?: VersionName;
  readonly retryAfterSeconds: number;
}

/** A table with its number. Numbers rise; a restart skips some. */
export interface Publication {
  readonly number: number;
  readonly table: RoutingTable;
}

/** The listeners of a table, each once, with the services that share it. */
export function listenersOf(table: RoutingTable): ReadonlyMap<ListenerName, readonly ServiceRoutes[]> {
  const listeners = new Map<ListenerName, ServiceRoutes[]>();
  for (const routes of table.services) {
    for (const { name } of routes.listeners) {
      const sharing = listeners.get(name);
      if (sharing === undefined) listeners.set(name, [routes]);
      else sharing.push(routes);
    }
  }
  return listeners;
}
