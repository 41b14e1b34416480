// The refusal backend over real connections: what a gateway's client gets for a pin that names no active version.
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import type { RoutingTable } from '../../../src/model/table.ts';
import { startRefusalServer } from '../../../src/refusal-server/server.ts';
import { resourceToJson } from '../../../src/xds/json.ts';
import { translate } from '../../../src/xds/translate/index.ts';
import { serviceRoutes, table } from '../../support/tables.ts';

const PIN = 'x-delegate-version';
const MANAGER = serviceRoutes({ defaultRoute: { kind: 'Single', version: 'v2' } });

async function backend(shown: () => RoutingTable | undefined = () => table(MANAGER)) {
  const server = await startRefusalServer({ host: '127.0.0.1', port: 0, table: shown });
  onTestFinished(() => server.close());
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    port: server.port,
    ask: (headers: Record<string, string>, init: RequestInit = {}) =>
      fetch(`${url}/any/path`, { ...init, headers: { 'x-switchyard-service': 'manager', ...headers } }),
  };
}

test('a pin that names no active version is refused with the body and the headers of our own proxies', async () => {
  const { ask } = await backend();
  const answer = await ask({ [PIN]: 'v9' });
  const body = await answer.text();
  expect(answer.status).toBe(409);
  expect(JSON.parse(body)).toEqual({
    code: 'VERSION_NOT_ACTIVE',
    message: `the version in ${PIN} is not active`,
    activeVersions: ['v1', 'v2'],
    primary: 'v2',
    retryAfterSeconds: 10,
  });
  const routes = translate(table(MANAGER)).envoy.find(({ type }) => type === 'routes');
  const ofProxies = JSON.stringify(routes && resourceToJson('routes', routes.bytes));
  expect(ofProxies).toContain(JSON.stringify(body));
  for (const name of [
    'content-type',
    'retry-after',
    'x-switchyard-code',
    'x-switchyard-active-versions',
    'x-switchyard-primary',
  ])
    expect(ofProxies).toContain(JSON.stringify({ key: name, value: answer.headers.get(name) }));
});

test.each([
  ['a pin of which only the name is misspelt', { x_delegate_version: 'v2' }, 409, 'VERSION_NOT_ACTIVE'],
  ['a marker without a pin', { 'x-delegate-pinned': 'true' }, 409, 'VERSION_NOT_ACTIVE'],
  ['a pin that has become active: the gateway is behind', { [PIN]: 'v2' }, 503, 'ROUTES_ON_THEIR_WAY'],
  [
    'a request without a pin, since there is a primary by now',
    { 'x-delegate-pinned': 'false' },
    503,
    'ROUTES_ON_THEIR_WAY',
  ],
  ['a service that nobody knows', { 'x-switchyard-service': 'other', [PIN]: 'v9' }, 503, 'UNKNOWN_SERVICE'],
] as const)('%s', async (_, headers, status, code) => {
  const { ask } = await backend();
  const answer = await ask(headers);
  expect([answer.status, answer.headers.get('x-switchyard-code')]).toEqual([status, code]);
});

test('where no version has ever been ready the answer is 503 with the reason', async () => {
  const routes = serviceRoutes({
    defaultRoute: { kind: 'Unavailable', reason: 'no version has been ready yet' },
  });
  const { ask } = await backend(() => table(routes));
  const answer = await ask({});
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { code: 'NO_PRIMARY', message: 'no version has been ready yet', retryAfterSeconds: 10 },
  ]);
});

test('a replica that shows nothing yet says so, and HEAD has no body', async () => {
  const { ask } = await backend(() => undefined);
  expect(await (await ask({ [PIN]: 'v9' })).json()).toMatchObject({ code: 'UNKNOWN_SERVICE' });
  expect(await (await ask({ [PIN]: 'v9' }, { method: 'HEAD' })).text()).toBe('');
});

test('a body is not read, and the connection takes the next request', async () => {
  const { ask } = await backend();
  for (let times = 0; times < 3; times += 1) {
    const answer = await ask({ [PIN]: 'v9' }, { method: 'POST', body: 'x'.repeat(1_000_000) });
    expect(await answer.json()).toMatchObject({ code: 'VERSION_NOT_ACTIVE' });
  }
});

test('a gRPC call gets FAILED_PRECONDITION with the same facts, also one whose requests never end', async () => {
  const { port } = await backend();
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const metadata = new Metadata();
  metadata.set('x-switchyard-service', 'manager');
  metadata.set(PIN, 'v9');
  const bytes = (value: Buffer): Buffer => value;
  const error = await new Promise<ServiceError>((resolve) => {
    const call = client.makeBidiStreamRequest('/pipeline.v1.Tasks/Poll', bytes, bytes, metadata);
    call.on('error', (thrown: ServiceError) => resolve(thrown));
    call.on('data', () => undefined);
    call.write(Buffer.from('a'));
  });
  expect(error).toMatchObject({ code: 9, details: `the version in ${PIN} is not active` });
  expect(error.metadata.getMap()).toMatchObject({
    'x-switchyard-code': 'VERSION_NOT_ACTIVE',
    'x-switchyard-active-versions': 'v1,v2',
    'retry-after': '10',
  });
});

test('HTTP/2 clients get the JSON body too', async () => {
  const { url } = await backend();
  const session: ClientHttp2Session = connect(url);
  onTestFinished(() => session.close());
  const stream = session.request({ ':path': '/', 'x-switchyard-service': 'manager', [PIN]: 'v9' });
  const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.once('response', resolve));
  const chunks: Buffer[] = await stream.toArray();
  expect(headers[':status' as keyof IncomingHttpHeaders]).toBe(409);
  expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({ code: 'VERSION_NOT_ACTIVE' });
});

test('a gateway that speaks HTTP/1.1 to it gets a gRPC status that it can hand on', async () => {
  const { ask } = await backend();
  const answer = await ask(
    { [PIN]: 'v9', 'content-type': 'application/grpc' },
    { method: 'POST', body: 'x' },
  );
  expect([answer.status, answer.headers.get('grpc-status'), await answer.text()]).toEqual([200, '9', '']);
});

test('bytes that are no HTTP end their connection, and nothing else', async () => {
  const { port, ask } = await backend();
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.end('PR nonsense\r\n\r\n');
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  expect((await ask({ [PIN]: 'v9' })).status).toBe(409);
});
