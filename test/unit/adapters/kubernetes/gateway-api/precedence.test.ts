// An HTTPRoute read as the Gateway API's specification says: it leads where our own proxies lead.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { httpRoute } from '../../../../../src/adapters/kubernetes/gateway-api/http-route.ts';
import { objectName } from '../../../../../src/adapters/kubernetes/names.ts';
import type { Decision } from '../../../../../src/model/decision.ts';
import { scopeOnRoute } from '../../../../../src/model/gateway-scope.ts';
import type { VersionName } from '../../../../../src/model/names.ts';
import type { Scope, SocketAddress } from '../../../../../src/model/spec.ts';
import type { ServiceRoutes } from '../../../../../src/model/table.ts';
import { explain } from '../../../../../src/routing/explain.ts';
import { forwarded, type RouteSpec, ruleFor } from '../../../../support/gateway-route.ts';
import {
  type RandomRequest,
  randomRequest,
  randomTable,
  VERSIONS,
} from '../../../../support/random-routes.ts';
import { full, seed } from '../../../../support/seed.ts';
import { scoped, serviceRoutes, table } from '../../../../support/tables.ts';

const ADDRESS: SocketAddress = { host: '10.0.0.1', port: 8080 };
const ENDPOINTS = new Map(VERSIONS.map((version) => [version, ADDRESS]));

function routeOf(routes: ServiceRoutes, hostnames: readonly string[] = []): RouteSpec | undefined {
  const gatewayApi = {
    parentRefs: [{ kind: 'Gateway', name: 'main' } as const],
    hostnames,
    mode: 'Besides',
  } as const;
  const made = httpRoute(
    { namespace: 'shop', owner: undefined },
    { service: routes.service, gatewayApi, routes, portOf: () => 8080 },
  );
  return made.kind === 'Fits' ? (made.wanted.object['spec'] as unknown as RouteSpec) : undefined;
}

/** Versions, or Switchyard itself, with the percent of such requests that each gets. */
function destinations(
  routes: ServiceRoutes,
  rule: RouteSpec['rules'][number],
): Readonly<Record<string, number>> {
  const nameOf = (version: VersionName): string => objectName(routes.service, version);
  const shares = rule.backendRefs.filter(({ weight }) => weight > 0);
  const whole = shares.reduce((sum, { weight }) => sum + weight, 0);
  return Object.fromEntries(
    shares.map(({ name, weight }) => [
      routes.versions.find(({ version }) => nameOf(version) === name)?.version ?? name,
      (100 * weight) / whole,
    ]),
  );
}

/** Where our own proxies would lead the request. */
function expected(routes: ServiceRoutes, { outcome, rule }: Decision): Readonly<Record<string, number>> {
  if (rule === 'DefaultSplit' && routes.defaultRoute.kind === 'Split') {
    const { primary, candidate, weight } = routes.defaultRoute;
    return primary === candidate ? { [primary]: 100 } : { [primary]: 100 - weight, [candidate]: weight };
  }
  if (outcome.kind === 'Version') return { [outcome.version]: 100 };
  if (outcome.kind === 'Refused') return { 'switchyard-refusals': 100 };
  throw new Error(`not foreseen: ${rule}`);
}

/** As the parser would have it for a route with these hosts. */
function fitting(routes: ServiceRoutes, hostnames: readonly string[]): ServiceRoutes {
  const fit = (scope: Scope): Scope => {
    if (scope.kind !== 'scoped') return scope;
    const paths = scope.paths.map((path) => path.replace(/\/$/, ''));
    const hosts = scopeOnRoute(scope, hostnames).kind === 'SomeHosts' ? [] : scope.hosts;
    return { ...scope, paths, hosts };
  };
  const { pin, tenantKey } = routes;
  return {
    ...routes,
    pin: { ...pin, allow: fit(pin.allow), previewAllow: fit(pin.previewAllow) },
    ...(tenantKey === undefined ? {} : { tenantKey: { ...tenantKey, allow: fit(tenantKey.allow) } }),
    versions: routes.versions.map((routed) =>
      routed.access === 'Preview' ? { ...routed, endpoints: [ADDRESS] } : routed,
    ),
  };
}

/** What an HTTPRoute cannot say, and docs/gateway-api.md names. */
function isBeyondRoutes({ pin }: ServiceRoutes, request: RandomRequest, { rule }: Decision): boolean {
  const empty = request.headers.some(
    ([name, value]) => /^x[-_](delegate[-_]version|pin)$/.test(name) && value.trim() === '',
  );
  const marker = request.headers.some(
    ([name, value]) => name.endsWith('-on') && !['true', 'false'].includes(value),
  );
  const unlessPinned = rule === 'MarkerWithoutPin' || rule === 'MisspeltPin';
  const allow = scopeOnRoute(pin.allow, [request.host]);
  const isAllowed =
    allow.kind === 'Everywhere' ||
    (allow.kind === 'Paths' &&
      allow.paths.some((path) => request.path === path || request.path.startsWith(`${path}/`)));
  return (
    empty ||
    marker ||
    request.path === '/pipeline.v1.Tasks' ||
    (unlessPinned && (pin.onUnknown === 'Primary' || !isAllowed))
  );
}

describe('an HTTPRoute', () => {
  test('leads each request where our own proxies lead it: a pin to its version or to a refusal, all else by the weights of the table', {
    timeout: 120_000,
  }, () => {
    let compared = 0;
    // Requests know the service's name only, so they are drawn beside the routes.
    const requests = fc.array(randomRequest(table(serviceRoutes({ service: 's0' }))), {
      minLength: 10,
      maxLength: 30,
    });
    const hosts = fc.constantFrom([], ['in.s0.test'], ['out.s0.test']);
    const cases = fc.tuple(randomTable(1, ENDPOINTS), hosts, requests);
    fc.assert(
      fc.property(cases, ([{ services }, hostnames, asked]) => {
        const [service] = services;
        if (service === undefined) throw new Error('there is one service');
        const routes = fitting(service, hostnames);
        const route = routeOf(routes, hostnames);
        if (route === undefined) return;
        for (const random of asked) {
          const [path = '/'] = random.path.split('?', 1);
          if (!/^(\/[a-zA-Z0-9.]*)+$/.test(path) || /\/\/|\/\.\.?(\/|$)/.test(path)) continue;
          const request = { ...random, path, host: hostnames[0] ?? `${routes.service}.test` };
          const decision = explain(table(routes), { service: routes.service, request });
          if (isBeyondRoutes(routes, request, decision)) continue;
          const rule = ruleFor(route, request);
          if (rule === undefined) throw new Error('no rule takes it');
          expect(destinations(routes, rule)).toEqual(expected(routes, decision));
          compared += 1;
        }
      }),
      { seed: seed(), numRuns: full() ? 2_000 : 100 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  test('weights sum to 100, and the versions of a flip stay named, so that only numbers change', () => {
    const versions = { v1: {}, v2: {}, v3: { access: 'Refused' as const } };
    const shares = (defaultRoute: Parameters<typeof serviceRoutes>[0]) =>
      routeOf(serviceRoutes({ versions, ...defaultRoute }))
        ?.rules.at(-1)
        ?.backendRefs.map(({ weight }) => weight);
    expect(shares({ defaultRoute: { kind: 'Single', version: 'v1' } })).toEqual([100, 0]);
    expect(
      shares({ defaultRoute: { kind: 'Split', primary: 'v1', candidate: 'v2', weight: 5, salt: '' } }),
    ).toEqual([95, 5]);
    expect(shares({ defaultRoute: { kind: 'Single', version: 'v2' } })).toEqual([0, 100]);
  });

  test('a longer path of another rule does not win over a pin: each header is asked on every path', () => {
    const routes = serviceRoutes({
      pin: { allow: scoped({ paths: ['/api'] }) },
      tenantKey: { allow: scoped({ paths: ['/api/v1'] }) },
      holds: { acme: 'v1' },
    });
    const route = routeOf(routes);
    const asked = (headers: readonly (readonly [string, string])[], path = '/api/v1/x') => {
      const rule = route && ruleFor(route, { path, headers });
      return rule && destinations(routes, rule);
    };
    expect(
      asked([
        ['x-delegate-version', 'v2'],
        ['x-tenant-id', 'acme'],
      ]),
    ).toEqual({ v2: 100 });
    expect(
      asked([
        ['x-delegate-version', 'v9'],
        ['x-tenant-id', 'acme'],
      ]),
    ).toEqual({ 'switchyard-refusals': 100 });
    expect(asked([['x-tenant-id', 'acme']])).toEqual({ v1: 100 });
    expect(asked([['x-delegate-version', 'v9']], '/other')).toEqual({ v1: 100 });
  });

  test('headers that do not count are removed, and the refusal backend is told whose request it is', () => {
    const routes = serviceRoutes({
      pin: { allow: scoped({ paths: ['/api'] }) },
      tenantKey: { allow: scoped({ paths: ['/t'] }) },
    });
    const route = routeOf(routes);
    const seen = (path: string) => {
      const headers = [
        ['x-delegate-version', 'v9'],
        ['x-tenant-id', 'acme'],
        ['x-switchyard-service', 'of a client'],
      ] as const;
      const rule = route && ruleFor(route, { path, headers });
      return rule && Object.fromEntries(forwarded(rule, { path, headers }));
    };
    expect(seen('/')).toEqual({ 'x-switchyard-service': 'of a client' });
    expect(seen('/t/x')).toMatchObject({ 'x-tenant-id': 'acme' });
    expect(seen('/t/x')).not.toHaveProperty('x-delegate-version');
    expect(seen('/api')).toMatchObject({ 'x-delegate-version': 'v9', 'x-switchyard-service': 'manager' });
  });

  test('what has no room in one route is refused with what stands in the way', () => {
    const holds = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`t${index}`, 'v1']));
    const gatewayApi = { parentRefs: [], hostnames: [], mode: 'Besides' } as const;
    const made = (facts: Parameters<typeof serviceRoutes>[0]) => {
      const routes = serviceRoutes(facts);
      return httpRoute(
        { namespace: 'shop', owner: undefined },
        { service: routes.service, gatewayApi, routes, portOf: () => 8080 },
      );
    };
    expect(made({ holds })).toEqual({
      kind: 'TooMuch',
      blockers: [
        '65 matches in one rule, and an HTTPRoute has room for 64 (2 versions, 65 holds: retire versions, release holds, or name fewer paths in scopes)',
      ],
    });
    const versions = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`v${index}`, {}]));
    expect(made({ versions })).toMatchObject({
      kind: 'TooMuch',
      blockers: [
        expect.stringMatching(/^19 rules, and an HTTPRoute has room for 16/),
        expect.stringMatching(/^17 backends in one rule/),
      ],
    });
    expect(made({ pin: { allow: scoped({ paths: ['/a%2fb'] }) } })).toMatchObject({ kind: 'TooMuch' });
  });
});
