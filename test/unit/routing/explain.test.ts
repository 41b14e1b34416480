import { describe, expect, test } from 'vitest';
import type { RequestFacts } from '../../../src/model/decision.ts';
import { serviceName } from '../../../src/model/names.ts';
import { explain } from '../../../src/routing/explain.ts';
import { AmbiguousListenerError } from '../../../src/routing/virtual-hosts.ts';
import { type RoutesFacts, scoped, serviceRoutes, table } from '../../support/tables.ts';

const PIN = 'x-delegate-version';
const request = (headers: RequestFacts['headers'] = [], more: Partial<RequestFacts> = {}): RequestFacts => ({
  host: 'manager.test',
  path: '/',
  headers,
  ...more,
});
const decide = (facts: RoutesFacts, ...of: Parameters<typeof request>) =>
  explain(table(serviceRoutes(facts)), { request: request(...of) });

describe('explain', () => {
  test('tells the version, the rule and how many endpoints are ready', () => {
    const endpoints = [{ host: '10.0.0.1', port: 1 }];
    expect(decide({ versions: { v1: {}, v2: { endpoints } } }, [[PIN, 'v2']])).toEqual({
      service: 'manager',
      outcome: { kind: 'Version', version: 'v2', readyEndpoints: 1 },
      rule: 'Pin',
      because: 'x-delegate-version: v2 names v2',
    });
  });

  test('warns of a version without a ready endpoint', () => {
    expect(decide({ versions: { v1: {} } }).because).toBe(
      'no pin counts, and v1 is the primary; it has no ready endpoint, so the answer is 503',
    );
  });

  test('tells a refusal as HTTP clients see it, and as gRPC clients do', () => {
    const pin = [[PIN, 'v9']] as const;
    expect(decide({}, pin).outcome).toEqual({ kind: 'Refused', status: 409, code: 'VERSION_NOT_ACTIVE' });
    expect(decide({}, [...pin, ['Content-Type', 'application/grpc']]).outcome).toEqual({
      kind: 'Refused',
      status: 200,
      grpcStatus: 9,
      code: 'VERSION_NOT_ACTIVE',
    });
  });

  test('tells both sides where there is nothing to hash', () => {
    const facts: RoutesFacts = {
      defaultRoute: { kind: 'Split', primary: 'v1', candidate: 'v2', weight: 30, salt: 's' },
    };
    expect(decide(facts).outcome).toEqual({
      kind: 'ByWeight',
      weights: [
        { version: 'v2', weight: 30 },
        { version: 'v1', weight: 70 },
      ],
    });
    expect(decide(facts, [], { sourceAddress: '10.0.0.1' }).outcome.kind).toBe('Version');
    expect(decide(facts, [['x-tenant-id', 'acme']]).because).toMatch(
      /^v2 has 30 percent, v1 the rest; the tenant acme falls on v[12]/,
    );
  });

  test('lets the tenant count only where callers may set it', () => {
    const facts: RoutesFacts = {
      holds: { acme: 'v2' },
      tenantKey: { allow: scoped({ paths: ['/internal'] }) },
    };
    const tenant = [['X-Tenant-Id', 'acme']] as const;
    expect(decide(facts, tenant, { path: '/internal' }).rule).toBe('Hold');
    expect(decide(facts, tenant).rule).toBe('DefaultPrimary');
  });

  test.each([
    ['exact before a suffix', 'a.example.com', 'exact'],
    ['the longest suffix', 'x.b.example.com', 'long-suffix'],
    ['a suffix before a prefix', 'x.example.com', 'suffix'],
    ['a prefix before all', 'x.example.org', 'prefix'],
    ['a host in capitals, with a port', 'A.EXAMPLE.COM:8080', 'exact'],
    ['an IPv6 address', '[::1]:80', 'all'],
    ['all the rest', 'nobody.net', 'all'],
  ])('finds the service by host: %s', (_, host, service) => {
    const on = (name: string, domain: string) =>
      serviceRoutes({ service: name, listeners: [{ domains: [domain] }] });
    const services = [
      on('all', '*'),
      on('exact', 'a.example.com'),
      on('long-suffix', '*.b.example.com'),
      on('prefix', 'x.*'),
      on('suffix', '*.example.com'),
    ];
    expect(explain(table(...services), { request: request([], { host }) }).service).toBe(service);
  });

  test('tells that nobody answers for a host, or that there is no such service', () => {
    const known = table(serviceRoutes({ listeners: [{ domains: ['manager.test'] }] }));
    expect(explain(known, { request: request([], { host: 'other.test' }) })).toMatchObject({
      rule: 'NoVirtualHost',
      outcome: { kind: 'Refused', status: 404 },
    });
    const other = { service: serviceName('other'), request: request() };
    expect(explain(known, other).because).toBe('no listener knows a service other');
  });

  test('asks for the listener where the host does not tell', () => {
    const services = table(
      serviceRoutes({ service: 'inside', listeners: [{ name: 'internal' }] }),
      serviceRoutes({ service: 'outside', listeners: [{ name: 'public' }] }),
    );
    expect(() => explain(services, { request: request() })).toThrow(AmbiguousListenerError);
    expect(explain(services, { listener: 'public', request: request() }).service).toBe('outside');
  });
});
