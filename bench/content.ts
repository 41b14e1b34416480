/**
 * What both servers of the benchmark serve: two routing tables between which a flip goes back and forth, and the same
 * two as encoded resources for the peer. The tables differ in the primary of one service.
 */
import { listenerName, serviceName, versionName } from '../src/model/names.ts';
import type { RoutingTable, ServiceRoutes } from '../src/model/table.ts';
import type { ResourceType } from '../src/xds/resource.ts';
import { createTranslator } from '../src/xds/translate/index.ts';

/** How large the tables are. */
export interface Shape {
  readonly services: number;
  /** Versions of each service that take requests: each has a cluster and a route by pin. */
  readonly versions: number;
  /** Versions of each service that only have a cluster left. */
  readonly leaving: number;
  readonly endpoints: number;
  /** Whether the services share a listener, and so a route table, or have one each. */
  readonly listeners: 'shared' | 'own';
}

export const SHAPES = {
  /** 60 clusters of 10 endpoints; routes of about 7 KB. */
  small: { services: 1, versions: 15, leaving: 45, endpoints: 10, listeners: 'shared' },
  /** The same number of clusters, behind one gateway that many services share. */
  shared: { services: 20, versions: 3, leaving: 0, endpoints: 10, listeners: 'shared' },
  /** The same services, each with a listener and a route table of its own. */
  own: { services: 20, versions: 3, leaving: 0, endpoints: 10, listeners: 'own' },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof SHAPES;

/** Encoded messages by type, in base 64. */
export type EncodedState = Readonly<Record<ResourceType, readonly string[]>>;

export interface Content {
  /** Before and after a flip. */
  readonly tables: readonly [RoutingTable, RoutingTable];
  readonly encoded: readonly [EncodedState, EncodedState];
  /** Names that a proxy subscribes to. */
  readonly endpoints: readonly string[];
  readonly routes: readonly string[];
}

/** The content of a shape. */
export function contentOf(shape: Shape): Content {
  const tables = [tableOf(shape, 'v1'), tableOf(shape, 'v2')] as const;
  const encoded = [encode(tables[0]), encode(tables[1])] as const;
  const names = (type: ResourceType): string[] =>
    createTranslator()(tables[0])
      .envoy.filter((resource) => resource.type === type)
      .map(({ name }) => name);
  return { tables, encoded, endpoints: names('endpoints'), routes: names('routes') };
}

function tableOf(shape: Shape, firstPrimary: string): RoutingTable {
  const services = Array.from({ length: shape.services }, (_, index) =>
    routesOf({ shape, index, primary: index === 0 ? firstPrimary : 'v1' }),
  );
  return { services: services.toSorted((left, right) => (left.service < right.service ? -1 : 1)) };
}

function routesOf(from: { shape: Shape; index: number; primary: string }): ServiceRoutes {
  const { shape, index } = from;
  const service = `service-${index}`;
  const primary = versionName(from.primary);
  const versions = Array.from({ length: shape.versions + shape.leaving }, (_, position) => ({
    version: versionName(`v${position + 1}`),
    access: position < shape.versions ? ('Open' as const) : ('Refused' as const),
    endpoints: Array.from({ length: shape.endpoints }, (__, host) => ({
      host: `10.${index}.${position}.${host + 1}`,
      port: 8080,
    })),
  }));
  const own = shape.listeners === 'own';
  return {
    service: serviceName(service),
    listeners: [
      {
        name: listenerName(own ? `listener-${index}` : 'gateway'),
        address: '0.0.0.0',
        port: 10_000 + (own ? index : 0),
        domains: [`${service}.example.com`],
        accessLog: false,
      },
    ],
    pin: {
      header: 'x-delegate-version',
      markerHeader: 'x-delegate-pinned',
      allow: { kind: 'everywhere' },
      previewAllow: { kind: 'nowhere' },
      onUnknown: 'Refuse',
    },
    tenantKey: { header: 'x-tenant-id', allow: { kind: 'everywhere' } },
    upstream: { protocol: 'SameAsClient', connectTimeout: 1_000 },
    retries: 2,
    versions: versions.toSorted((left, right) => (left.version < right.version ? -1 : 1)),
    defaultRoute: { kind: 'Single', version: primary },
    holds: [],
    refusal: {
      activeVersions: versions
        .filter(({ access }) => access === 'Open')
        .map(({ version }) => version)
        .toSorted(),
      primary,
      retryAfterSeconds: 10,
    },
  };
}

function encode(table: RoutingTable): EncodedState {
  const resources = createTranslator()(table).envoy;
  const of = (type: ResourceType): string[] =>
    resources
      .filter((resource) => resource.type === type)
      .map(({ bytes }) => Buffer.from(bytes).toString('base64'));
  return {
    clusters: of('clusters'),
    endpoints: of('endpoints'),
    listeners: of('listeners'),
    routes: of('routes'),
  };
}
