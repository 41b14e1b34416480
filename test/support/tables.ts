/** Makes routing tables for tests: a whole one from the few facts that a test is about. */
import { listenerName, serviceName, tenantName, versionName } from '../../src/model/names.ts';
import type { ListenerBinding, PinPolicy, Scope, TenantKey, UpstreamSpec } from '../../src/model/spec.ts';
import type {
  DefaultRoute,
  RoutedEndpoint,
  RoutedVersion,
  RoutingTable,
  ServiceRoutes,
} from '../../src/model/table.ts';

export const EVERYWHERE: Scope = { kind: 'everywhere' };
export const NOWHERE: Scope = { kind: 'nowhere' };

/** A scope of these hosts, paths and gRPC services. */
export function scoped(parts: { hosts?: string[]; paths?: string[]; grpcServices?: string[] }): Scope {
  return { kind: 'scoped', hosts: [], paths: [], grpcServices: [], ...parts };
}

/** What a test says of a service; the rest is filled in. */
export interface RoutesFacts {
  readonly service?: string;
  readonly listeners?: readonly {
    name?: string;
    address?: string;
    port?: number;
    domains?: readonly string[];
    accessLog?: boolean;
  }[];
  readonly pin?: Partial<PinPolicy>;
  readonly tenantKey?: Partial<TenantKey> | null | undefined;
  readonly upstream?: Partial<UpstreamSpec>;
  readonly retries?: number;
  readonly versions?: Readonly<
    Record<
      string,
      { access?: RoutedVersion['access']; endpoints?: readonly RoutedEndpoint[]; takesCopies?: true }
    >
  >;
  readonly defaultRoute?:
    | { kind: 'Unavailable'; reason: string }
    | { kind: 'Single'; version: string }
    | { kind: 'Split'; primary: string; candidate: string; weight: number; salt: string };
  readonly holds?: Readonly<Record<string, string>>;
  readonly cohort?: {
    version: string;
    tenants?: readonly string[];
    headers?: readonly { name: string; value: string }[];
  };
  /** The version that it names gets a cluster for copies. */
  readonly mirror?: {
    version: string;
    percent: number;
    methods?: readonly string[];
    grpcMethods?: readonly string[];
  };
}

/** The routes of one service; by default `manager` with `v1` (primary) and `v2`. */
export function serviceRoutes(facts: RoutesFacts = {}): ServiceRoutes {
  const versions = Object.entries(facts.versions ?? { v1: {}, v2: {} })
    .map(([name, { access = 'Open', endpoints = [], takesCopies }]) => ({
      version: versionName(name),
      access,
      endpoints,
      ...(takesCopies === true || name === facts.mirror?.version ? { takesCopies: true as const } : {}),
    }))
    .toSorted((left, right) => (left.version < right.version ? -1 : 1));
  const target = facts.defaultRoute ?? { kind: 'Single', version: versions[0]?.version ?? 'v1' };
  const primary = primaryOf(target);
  return {
    service: serviceName(facts.service ?? 'manager'),
    listeners: (facts.listeners ?? [{}]).map(listener),
    pin: {
      header: 'x-delegate-version',
      markerHeader: 'x-delegate-pinned',
      allow: EVERYWHERE,
      previewAllow: NOWHERE,
      onUnknown: 'Refuse',
      ...facts.pin,
    },
    ...tenantKey(facts),
    upstream: { protocol: 'SameAsClient', connectTimeout: 1000, ...facts.upstream },
    retries: facts.retries ?? 2,
    versions,
    defaultRoute: target as DefaultRoute,
    holds: Object.entries(facts.holds ?? {})
      .map(([tenant, version]) => ({ tenant: tenantName(tenant), version: versionName(version) }))
      .toSorted((left, right) => (left.tenant < right.tenant ? -1 : 1)),
    ...ofRollout(facts),
    refusal: {
      activeVersions: versions.filter(({ access }) => access === 'Open').map(({ version }) => version),
      ...(primary === undefined ? {} : { primary: versionName(primary) }),
      retryAfterSeconds: 10,
    },
  };
}

function ofRollout({ cohort, mirror }: RoutesFacts): Pick<ServiceRoutes, 'cohort' | 'mirror'> {
  const { tenants = [], headers = [] } = cohort ?? {};
  const { methods = ['GET'], grpcMethods = [], percent = 100 } = mirror ?? {};
  return {
    ...(cohort && {
      cohort: { version: versionName(cohort.version), tenants: tenants.map(tenantName), headers },
    }),
    ...(mirror && { mirror: { version: versionName(mirror.version), percent, methods, grpcMethods } }),
  };
}

/** A table of these services. */
export function table(...services: readonly ServiceRoutes[]): RoutingTable {
  return { services: services.toSorted((left, right) => (left.service < right.service ? -1 : 1)) };
}

function listener({
  name = 'gateway',
  address = '127.0.0.1',
  port = 10_000,
  domains = ['*'],
  accessLog = false,
}: NonNullable<RoutesFacts['listeners']>[number]): ListenerBinding {
  return { name: listenerName(name), address, port, domains, accessLog };
}

/** Given as `undefined` or null: the service has no tenant key. Left out: `x-tenant-id`, everywhere. */
function tenantKey(facts: RoutesFacts): { tenantKey?: TenantKey } {
  if ('tenantKey' in facts && (facts.tenantKey ?? undefined) === undefined) return {};
  return { tenantKey: { header: 'x-tenant-id', allow: EVERYWHERE, ...facts.tenantKey } };
}

function primaryOf(target: NonNullable<RoutesFacts['defaultRoute']>): string | undefined {
  switch (target.kind) {
    case 'Unavailable':
      return undefined;
    case 'Single':
      return target.version;
    case 'Split':
      return target.primary;
  }
}
