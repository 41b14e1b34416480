/**
 * What a real Envoy does with translated routes beside choosing a version: retries that move only where the request cannot
 * have begun, its own answers, gRPC, websockets, hosts that never answer, statistics by service and version.
 */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { Client, type ClientUnaryCall, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import type { HealthCheckSpec } from '../../src/model/spec.ts';
import { type Behaviour, type Echo, type EchoServer, startEcho } from '../support/echo.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type RawResponse, rawHttp1 } from '../support/raw-http1.ts';
import { type RoutesFacts, serviceRoutes, table } from '../support/tables.ts';

const PIN = 'x-delegate-version';

const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

async function echo(version: string, behaviour: Behaviour = 'Answer'): Promise<EchoServer> {
  const server = await startEcho(version, behaviour);
  running.push({ stop: server.close });
  return server;
}

/** A port where nobody listens: connections are refused. */
async function nobody(): Promise<EchoServer['address']> {
  const server = await startEcho('nobody');
  await server.close();
  return server.address;
}

async function gatewayOf(facts: RoutesFacts, accessLog = false): Promise<Gateway> {
  const routes = serviceRoutes({ listeners: [{ port: 0, domains: ['*'] }], ...facts });
  const gateway = await startGateway(table(routes), { accessLog });
  running.push(gateway);
  return gateway;
}

function served(response: RawResponse | undefined): string {
  return response?.status === 200
    ? (JSON.parse(response.body) as Echo).version
    : `status ${response?.status}`;
}

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

describe('an answer of the proxy itself', () => {
  test('a version without a ready endpoint: 503 with the reason, and the version that was meant', async () => {
    const gateway = await gatewayOf({ versions: { v1: {}, v2: {} } });
    const response = await rawHttp1(gateway.port(), [`${PIN}: v2`]);
    expect(response?.status).toBe(503);
    expect(response?.headers.get('x-switchyard-version')).toBe('v2');
    expect(response?.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(response?.body ?? '')).toMatchObject({ code: 'NO_READY_ENDPOINT' });
  });

  test('a version whose instances cannot be reached: 503 with the reason, safe to send again', async () => {
    const gateway = await gatewayOf({ versions: { v1: {}, v2: { endpoints: [await nobody()] } } });
    const response = await rawHttp1(gateway.port(), [`${PIN}: v2`]);
    expect(response?.status).toBe(503);
    expect(response?.headers.get('content-type')).toBe('application/json');
    expect(response?.headers.get('x-switchyard-code')).toBe('INSTANCE_UNREACHABLE');
    expect(JSON.parse(response?.body ?? '')).toMatchObject({ code: 'INSTANCE_UNREACHABLE' });
  });

  test('an instance that was lost on the way says nothing of the kind', async () => {
    const v2 = await echo('v2', 'CutAfterHeaders');
    const gateway = await gatewayOf({ versions: { v1: {}, v2: { endpoints: [v2.address] } } });
    const response = await rawHttp1(gateway.port(), [`${PIN}: v2`]);
    expect(response?.status).toBe(503);
    expect(response?.headers.has('x-switchyard-code')).toBe(false);
  });

  test('a service without a primary: 503 with the reason', async () => {
    const reason = 'no version has been ready yet';
    const gateway = await gatewayOf({ versions: {}, defaultRoute: { kind: 'Unavailable', reason } });
    const response = await rawHttp1(gateway.port(), []);
    expect(response?.status).toBe(503);
    expect(JSON.parse(response?.body ?? '')).toEqual({
      code: 'NO_PRIMARY',
      message: reason,
      retryAfterSeconds: 10,
    });
  });
});

describe('a stock gRPC client', () => {
  /** Calls a method that nobody has, and gives the error that the client sees. */
  async function callError(gateway: Gateway, pin: string): Promise<ServiceError> {
    const client = new Client(`127.0.0.1:${gateway.port()}`, credentials.createInsecure());
    running.push({ stop: async () => client.close() });
    const metadata = new Metadata();
    metadata.set(PIN, pin);
    const empty = (): Buffer => Buffer.alloc(0);
    return new Promise((resolve, reject) => {
      const call: ClientUnaryCall = client.makeUnaryRequest(
        '/pipeline.v1.Tasks/Lease',
        empty,
        empty,
        undefined,
        metadata,
        (error) => (error === null ? reject(new Error('the call succeeded')) : resolve(error)),
      );
      call.on('error', reject);
    });
  }

  test('that names an unknown version gets FAILED_PRECONDITION, with the facts as metadata', async () => {
    const gateway = await gatewayOf({ versions: { v1: {}, v2: {} } });
    const error = await callError(gateway, 'v9');
    expect(error.code).toBe(9);
    expect(error.details).toBe('the version in x-delegate-version is not active');
    expect(error.metadata.get('x-switchyard-code')).toEqual(['VERSION_NOT_ACTIVE']);
    expect(error.metadata.get('x-switchyard-active-versions')).toEqual(['v1,v2']);
    expect(error.metadata.get('x-switchyard-primary')).toEqual(['v1']);
    expect(error.metadata.get('retry-after')).toEqual(['10']);
  });

  test('whose version has no ready endpoint gets UNAVAILABLE, with the reason', async () => {
    const gateway = await gatewayOf({ versions: { v1: {}, v2: {} } });
    const error = await callError(gateway, 'v2');
    expect(error.code).toBe(14);
    expect(error.details).toBe('the version has no ready endpoint');
    expect(error.metadata.get('x-switchyard-code')).toEqual(['NO_READY_ENDPOINT']);
  });
});

test('a websocket reaches the version that it pins, and carries bytes both ways', async () => {
  const gateway = await gatewayOf({
    versions: { v1: {}, v2: { endpoints: [(await echo('v2')).address] } },
  });
  const socket = connect({ port: gateway.port(), host: '127.0.0.1' });
  running.push({ stop: async () => void socket.destroy() });
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  const lines = ['connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13', `${PIN}: v2`];
  socket.write(['GET / HTTP/1.1', 'host: manager.test', ...lines, '', ''].join('\r\n'));
  await eventually(() => received.includes('\r\n\r\n'), { what: 'the answer to the upgrade' });
  expect(received).toContain('HTTP/1.1 101');
  expect(received).toContain('x-switchyard-version: v2');
  socket.write('there and back');
  await eventually(() => received.endsWith('there and back'), { what: 'the bytes that were sent' });
});

test('a websocket over HTTP/2 reaches an instance that speaks HTTP/1', async () => {
  const gateway = await gatewayOf({
    versions: { v1: {}, v2: { endpoints: [(await echo('v2')).address] } },
    upstream: { protocol: 'Http1' },
  });
  const session = connectHttp2(`http://127.0.0.1:${gateway.port()}`);
  running.push({ stop: async () => session.destroy() });
  await once(session, 'remoteSettings');
  const stream = session.request(
    {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/',
      ':authority': 'manager.test',
      [PIN]: 'v2',
    },
    { endStream: false },
  );
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  expect(headers).toMatchObject({ ':status': 200, 'x-switchyard-version': 'v2' });
  stream.write('there and back');
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  expect(chunk.toString()).toBe('there and back');
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

test('statistics carry exactly the service and the version, whatever their names look like', async () => {
  const names = ['v1', '1.8.3', '1.grpc.2', 'ssl.ciphers.x', 'a-b.c--d', '7'];
  const instance = await echo('any');
  const versions = Object.fromEntries(names.map((name) => [name, { endpoints: [instance.address] }]));
  const gateway = await gatewayOf({ service: 'jobs.ci', versions });
  for (const name of names) {
    expect((await rawHttp1(gateway.port(), [`${PIN}: ${name}`]))?.status).toBe(200);
  }
  const lines = (await gateway.envoy.text('/stats/prometheus?usedonly')).split('\n');
  const counted = lines.filter((line) => line.startsWith('envoy_cluster_upstream_rq_xx{'));
  const expected = names.map(
    (name) =>
      `envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="jobs.ci__${name}",service="jobs.ci",version="${name}"} 1`,
  );
  expect(counted.toSorted()).toEqual(expected.toSorted());
  const mangled = lines.filter(
    (line) => line.includes('envoy_cluster_') && /^[^{]*(jobs|ciphers|grpc_2)/.test(line),
  );
  expect(mangled).toEqual([]);
});

describe('the access log', () => {
  test('is silent unless the bootstrap asks for it', async () => {
    const gateway = await gatewayOf({ versions: { v1: {} } });
    await rawHttp1(gateway.port(), []);
    await eventually(async () => (await gateway.envoy.stat('http.gateway.downstream_rq_5xx')) === 1);
    expect(gateway.envoy.log()).not.toContain('"cluster":"manager__v1"');
  });

  test('writes a line for each request where it does', async () => {
    const gateway = await gatewayOf({ versions: { v1: {} } }, true);
    await rawHttp1(gateway.port(), []);
    const line = /"cluster":"manager__v1".*"status":503/;
    await eventually(() => line.test(gateway.envoy.log()), { what: 'a line' });
    expect(gateway.envoy.log()).toMatch(line);
  });
});
