/**
 * What a real Envoy does with translated routes beside choosing a version: its own answers, gRPC, websockets, statistics by
 * service and version, the access log.
 */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { Client, type ClientUnaryCall, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Gateway } from '../support/gateway.ts';
import { echo, gatewayOf, nobody, PIN, running } from '../support/gateway-world.ts';
import { rawHttp1 } from '../support/raw-http1.ts';

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
