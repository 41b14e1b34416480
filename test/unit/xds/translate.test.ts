import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reachableVersions } from '../../../src/model/rules.ts';
import type { RoutingTable, ServiceRoutes } from '../../../src/model/table.ts';
import { exportEnvoy } from '../../../src/xds/export.ts';
import { resourceToJson } from '../../../src/xds/json.ts';
import type { ResourceType, TranslatedResource } from '../../../src/xds/resource.ts';
import { createTranslator, translate } from '../../../src/xds/translate/index.ts';
import { clusterName } from '../../../src/xds/translate/names.ts';
import { randomTable, VERSIONS } from '../../support/random-routes.ts';
import { seed } from '../../support/seed.ts';
import { serviceRoutes, table } from '../../support/tables.ts';

const ENDPOINTS = new Map(
  VERSIONS.map((version, index) => [version, { host: '10.0.0.1', port: 9000 + index }]),
);
const tables = randomTable(3, ENDPOINTS);

function assertProperty<Values extends [unknown, ...unknown[]]>(property: fc.IProperty<Values>): void {
  fc.assert(property, { seed: seed(), numRuns: 30 });
}

function namesOf(resources: readonly TranslatedResource[], type: ResourceType): string[] {
  return resources.filter((resource) => resource.type === type).map(({ name }) => name);
}

/** Every value that stands under this key, wherever it is. */
function findAll(value: unknown, key: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((part) => findAll(part, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => (name === key ? [part] : findAll(part, key)));
}

interface Weighted {
  readonly clusters: readonly { readonly name: string; readonly weight: number }[];
}

function clustersNamed(routes: TranslatedResource): Set<string> {
  const message = resourceToJson('routes', routes.bytes);
  const weighted = findAll(message, 'weighted_clusters') as Weighted[];
  const single = findAll(message, 'cluster') as string[];
  return new Set([...single, ...weighted.flatMap(({ clusters }) => clusters.map(({ name }) => name))]);
}

function bytesByKey(resources: readonly TranslatedResource[]): Map<string, string> {
  return new Map(
    resources.map(({ type, name, bytes }) => [`${type}/${name}`, Buffer.from(bytes).toString('base64')]),
  );
}

/** The same table with every list in another order, as far as the order means nothing. */
function reordered({ services }: RoutingTable): RoutingTable {
  return table(
    ...services.toReversed().map((routes) => ({
      ...routes,
      listeners: routes.listeners.map((listener) => ({
        ...listener,
        domains: listener.domains.toReversed(),
      })),
    })),
  );
}

describe('translate', () => {
  test('tells proxies nothing of a service that others lead to, and all of the service beside it', () => {
    const beside = serviceRoutes({ service: 'jobs', listeners: [{ domains: ['jobs.test'] }] });
    const elsewhere = { ...serviceRoutes(), withoutProxies: true } as const;
    expect(translate(table(elsewhere, beside))).toEqual(translate(table(beside)));
  });

  test('gives equal bytes for equal tables, whatever order they were put together in', () => {
    assertProperty(
      fc.property(tables, (original) => {
        const [one, other] = [translate(original), translate(reordered(original))];
        expect(bytesByKey(other.envoy)).toEqual(bytesByKey(one.envoy));
        expect(bytesByKey(other.grpc)).toEqual(bytesByKey(one.grpc));
      }),
    );
  });

  test('gives the same with a memory of earlier tables as without', () => {
    assertProperty(
      fc.property(fc.array(tables, { minLength: 2, maxLength: 4 }), (sequence) => {
        const remembering = createTranslator();
        for (const each of [...sequence, ...sequence]) {
          const { envoy, grpc } = remembering(each);
          expect(bytesByKey(envoy)).toEqual(bytesByKey(translate(each).envoy));
          expect(bytesByKey(grpc)).toEqual(bytesByKey(translate(each).grpc));
        }
      }),
    );
  });

  test('encodes only route tables again for a flip', () => {
    const translateNext = createTranslator();
    const translations = ['v1', 'v2'].map((version) =>
      translateNext(table(serviceRoutes({ defaultRoute: { kind: 'Single', version } }))),
    );
    for (const kind of ['envoy', 'grpc'] as const) {
      const [before = [], after = []] = translations.map((translation) => translation[kind]);
      const again = after.filter((resource) => !before.includes(resource));
      expect(again.map(({ type }) => type)).toEqual(['routes']);
    }
  });

  test('names each resource once', () => {
    assertProperty(
      fc.property(tables, (original) => {
        for (const resources of Object.values(translate(original))) {
          const keys = (resources as readonly TranslatedResource[]).map(
            ({ type, name }) => `${type}/${name}`,
          );
          expect(new Set(keys).size).toBe(keys.length);
        }
      }),
    );
  });

  test('lists exactly the clusters that routes for Envoy name, and each of them exists', () => {
    assertProperty(
      fc.property(tables, (original) => {
        const { envoy } = translate(original);
        for (const routes of envoy.filter(({ type }) => type === 'routes')) {
          expect([...clustersNamed(routes)].toSorted()).toEqual(routes.references);
          expect(namesOf(envoy, 'clusters')).toEqual(expect.arrayContaining([...routes.references]));
        }
      }),
    );
  });

  test('lists all clusters that routes for gRPC name, and each of them exists', () => {
    assertProperty(
      fc.property(tables, (original) => {
        const { grpc } = translate(original);
        for (const routes of grpc.filter(({ type }) => type === 'routes')) {
          expect(routes.references).toEqual(expect.arrayContaining([...clustersNamed(routes)]));
          expect(namesOf(grpc, 'clusters')).toEqual(expect.arrayContaining([...routes.references]));
        }
      }),
    );
  });

  test('gives every cluster its endpoints', () => {
    assertProperty(
      fc.property(tables, (original) => {
        for (const resources of Object.values(translate(original))) {
          const list = resources as readonly TranslatedResource[];
          expect(namesOf(list, 'endpoints').toSorted()).toEqual(namesOf(list, 'clusters').toSorted());
        }
      }),
    );
  });

  test('lets weights sum to 100, the candidate first', () => {
    assertProperty(
      fc.property(tables, (original) => {
        const { envoy, grpc } = translate(original);
        const routes = [...envoy, ...grpc].filter(({ type }) => type === 'routes');
        const weighted = routes.flatMap(({ bytes }) =>
          findAll(resourceToJson('routes', bytes), 'weighted_clusters'),
        );
        const candidates = original.services.flatMap(({ service, defaultRoute }) =>
          defaultRoute.kind === 'Split' ? [clusterName(service, defaultRoute.candidate)] : [],
        );
        for (const { clusters } of weighted as Weighted[]) {
          expect(clusters.reduce((sum, { weight }) => sum + weight, 0)).toBe(100);
          expect(candidates).toContain(clusters[0]?.name);
        }
      }),
    );
  });

  test('changes route tables only when traffic moves: no listener, no cluster, no endpoint', () => {
    assertProperty(
      fc.property(tables, (before) => {
        const after: RoutingTable = { services: before.services.map(flipped) };
        const old = bytesByKey(translate(before).envoy);
        const changed = [...bytesByKey(translate(after).envoy)].filter(
          ([key, bytes]) => old.get(key) !== bytes,
        );
        expect(changed.map(([key]) => key).filter((key) => !key.startsWith('routes/'))).toEqual([]);
      }),
    );
  });

  test('changes endpoints only when an instance comes or goes', () => {
    assertProperty(
      fc.property(tables, (before) => {
        const after: RoutingTable = {
          services: before.services.map((routes) => ({
            ...routes,
            versions: routes.versions.map((routed) => ({
              ...routed,
              endpoints: [{ host: '10.9.9.9', port: 1 }],
            })),
          })),
        };
        const old = bytesByKey(translate(before).envoy);
        const changed = [...bytesByKey(translate(after).envoy)].filter(
          ([key, bytes]) => old.get(key) !== bytes,
        );
        expect(changed.map(([key]) => key).filter((key) => !key.startsWith('endpoints/'))).toEqual([]);
      }),
    );
  });

  test('refuses a table whose routes name a version without a cluster', () => {
    const routes = serviceRoutes({ versions: { v1: {} }, defaultRoute: { kind: 'Single', version: 'v2' } });
    expect(() => translate(table(routes))).toThrow(
      'routes of manager name the version v2, which has no cluster',
    );
  });

  test('keeps a tenant called __proto__', () => {
    const routes = serviceRoutes({ holds: { acme: 'v2', ['__proto__']: 'v2' } });
    const { envoy } = translate(table(routes));
    const text = envoy.map(({ bytes }) => Buffer.from(bytes).toString('latin1')).join('');
    expect(routes.holds.map(({ tenant }) => tenant)).toContain('__proto__');
    expect(text).toContain('__proto__');
  });
});

/** All traffic on one version: no weights, no cohort, no copies. */
function flipped({ cohort: _cohort, mirror: _mirror, ...routes }: ServiceRoutes): ServiceRoutes {
  const [version] = reachableVersions(routes);
  return version === undefined ? routes : { ...routes, holds: [], defaultRoute: { kind: 'Single', version } };
}

describe('the export for a stock Envoy', () => {
  const options = { admin: { host: '127.0.0.1', port: 9901 }, accessLog: false };

  test('refers to no control plane', () => {
    assertProperty(
      fc.property(tables, (original) => {
        const configuration = exportEnvoy(original, options);
        expect(findAll(configuration, 'ads')).toEqual([]);
        expect(findAll(configuration, 'rds')).toEqual([]);
        expect(findAll(configuration, 'eds_cluster_config')).toEqual([]);
      }),
    );
  });
});
