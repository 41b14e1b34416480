/**
 * What a real Envoy does where instances fail: it retries only what cannot have begun, and only default traffic on the other
 * version; it finds instances that accept and never answer, and ejects those whose requests fail, where that is asked for.
 */
import { describe, expect, test } from 'vitest';
import type { HealthCheckSpec } from '../../src/model/spec.ts';
import type { EchoServer } from '../support/echo.ts';
import { eventually } from '../support/eventually.ts';
import { echo, gatewayOf, nobody, PIN, served } from '../support/gateway-world.ts';
import { rawHttp1 } from '../support/raw-http1.ts';
import type { RoutesFacts } from '../support/tables.ts';

/** Nearly all default traffic goes to v2, whose only instance is at this address. */
function mostlyV2(v1: EchoServer, v2: EchoServer['address'], facts: RoutesFacts = {}): RoutesFacts {
  return {
    versions: { v1: { endpoints: [v1.address] }, v2: { endpoints: [v2] } },
    defaultRoute: { kind: 'Split', primary: 'v1', candidate: 'v2', weight: 99, salt: 'salt' },
    ...facts,
  };
}

/** Tenants of whom 99 of 100 belong to v2. */
const TENANTS = Array.from({ length: 20 }, (_, index) => `x-tenant-id: tenant-${index}`);

describe('a retry', () => {
  test('moves default traffic to the other version where no connection could be made', async () => {
    const v1 = await echo('v1');
    const gateway = await gatewayOf(mostlyV2(v1, await nobody()));
    for (const tenant of TENANTS) expect(served(await rawHttp1(gateway.port(), [tenant]))).toBe('v1');
  });

  test('moves default traffic where the stream was refused', async () => {
    const v1 = await echo('v1');
    const v2 = await echo('v2', 'RefuseStreams');
    const gateway = await gatewayOf(mostlyV2(v1, v2.address, { upstream: { protocol: 'Http2' } }));
    for (const tenant of TENANTS) expect(served(await rawHttp1(gateway.port(), [tenant]))).toBe('v1');
    expect(v2.requests()).toBeGreaterThan(0);
  });

  test('is not made where the instance may have begun the request', async () => {
    const v1 = await echo('v1');
    const v2 = await echo('v2', 'CutAfterHeaders');
    const gateway = await gatewayOf(mostlyV2(v1, v2.address));
    const answers = [];
    for (const tenant of TENANTS) answers.push(served(await rawHttp1(gateway.port(), [tenant])));
    const cut = answers.filter((answer) => answer === 'status 503').length;
    expect(cut).toBeGreaterThan(TENANTS.length / 2);
    expect(v2.requests()).toBe(cut);
    expect(v1.requests()).toBe(TENANTS.length - cut);
  });

  test('never moves a pinned request', async () => {
    const v1 = await echo('v1');
    const gateway = await gatewayOf(mostlyV2(v1, await nobody()));
    const answers = [];
    for (const tenant of TENANTS)
      answers.push(served(await rawHttp1(gateway.port(), [`${PIN}: v2`, tenant])));
    expect(new Set(answers)).toEqual(new Set(['status 503']));
    expect(v1.requests()).toBe(0);
  });

  test('never moves a held tenant', async () => {
    const v1 = await echo('v1');
    const gateway = await gatewayOf(mostlyV2(v1, await nobody(), { holds: { acme: 'v2' } }));
    expect(served(await rawHttp1(gateway.port(), ['x-tenant-id: acme']))).toBe('status 503');
    expect(v1.requests()).toBe(0);
  });

  test('of a pinned request takes another instance of the version', async () => {
    const v1 = await echo('v1');
    const v2 = await echo('v2');
    const endpoints = [await nobody(), v2.address];
    const gateway = await gatewayOf({ versions: { v1: { endpoints: [v1.address] }, v2: { endpoints } } });
    for (const tenant of TENANTS) {
      expect(served(await rawHttp1(gateway.port(), [`${PIN}: v2`, tenant]))).toBe('v2');
    }
  });
});

describe('an instance that accepts and never answers', () => {
  const healthCheck: HealthCheckSpec = {
    kind: 'http',
    path: '/healthz',
    interval: 100,
    timeout: 100,
    healthyThreshold: 1,
    unhealthyThreshold: 1,
  };

  test('gets no request while health checks are asked for', async () => {
    const silent = await echo('v2', 'Silent');
    const endpoints = [silent.address, (await echo('v2')).address];
    const gateway = await gatewayOf({
      versions: { v1: {}, v2: { endpoints } },
      upstream: { healthCheck, protocol: 'Http1' },
    });
    const cluster = 'cluster.manager__v2__.health_check.failure';
    await eventually(async () => (await gateway.envoy.stat(cluster)) > 0, { what: 'a failed health check' });
    for (const tenant of TENANTS) {
      expect(served(await rawHttp1(gateway.port(), [`${PIN}: v2`, tenant]))).toBe('v2');
    }
  });

  test('alone leaves its version without a host: 503 with the reason, and not panic mode', async () => {
    const silent = await echo('v2', 'Silent');
    const gateway = await gatewayOf({
      versions: { v1: {}, v2: { endpoints: [silent.address] } },
      upstream: { healthCheck, protocol: 'Http1' },
    });
    const response = await rawHttp1(gateway.port(), [`${PIN}: v2`]);
    expect(response?.status).toBe(503);
    expect(response?.headers.get('x-switchyard-code')).toBe('NO_READY_ENDPOINT');
  });
});

test('an instance whose requests fail is ejected where that is asked for', async () => {
  const bad = await echo('v2', 'CutAfterHeaders');
  const good = await echo('v2');
  const gateway = await gatewayOf({
    versions: { v1: {}, v2: { endpoints: [bad.address, good.address] } },
    upstream: {
      outlierDetection: {
        consecutiveErrors: 1,
        interval: 1_000,
        baseEjectionTime: 60_000,
        maxEjectionPercent: 50,
      },
    },
  });
  const pin = [`${PIN}: v2`];
  await eventually(async () => (await rawHttp1(gateway.port(), pin))?.status === 503, {
    what: 'a failed request',
  });
  const seen = bad.requests();
  for (const tenant of TENANTS) expect(served(await rawHttp1(gateway.port(), [...pin, tenant]))).toBe('v2');
  expect(bad.requests()).toBe(seen);
});
