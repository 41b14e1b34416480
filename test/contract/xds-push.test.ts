// Both ways of a frame onto the wire (below grpc-js, and through it) give a client the same bytes; the faster way is
// found in the grpc-js that is installed, so that an update which hides it does not slow the server down unseen.
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { createPushChannel, type RawCall } from '../../src/xds/push.ts';
import { DISCOVERY_SERVICE } from '../../src/xds/services.ts';
import { AGGREGATED, node, XdsConnection } from '../support/xds-client.ts';
import { scene } from '../support/xds-script.ts';
import { startXdsWorld } from '../support/xds-world.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** What a client of a fresh server reads while the table changes, and how its stream ends. */
async function readBy(way: 'http2' | 'grpc', dialect: 'sotw' | 'delta') {
  const world = await startXdsWorld({ server: { way } });
  ends.push(() => world.close());
  world.publishScene(scene({ clusters: { a: '1'.repeat(100_000) }, routes: ['a'] }));
  const connection = new XdsConnection(world.server.port);
  ends.push(() => connection.close());
  const client = connection.open(dialect);
  const names = ['a'];
  if (dialect === 'sotw') client.ask('clusters', { node: node('n1') });
  else client.change('clusters', { node: node('n1') });
  client.acknowledge(await client.next());
  if (dialect === 'sotw') client.ask('endpoints', { resourceNames: names });
  else client.change('endpoints', { resourceNamesSubscribe: names });
  client.acknowledge(await client.next(), names);
  world.publishScene(scene({ clusters: { a: '2' }, routes: ['a'], endpoints: 2 }));
  await client.next();
  await client.next();
  client.change('', {});
  return { raw: client.received.map(({ raw }) => raw.toString('hex')), end: await client.end() };
}

describe.each(['sotw', 'delta'] as const)('over %s', (dialect) => {
  test('a client reads the same bytes and the same end, whichever way they went', async () => {
    const below = await readBy('http2', dialect);
    expect(below.raw).toHaveLength(4);
    expect(await readBy('grpc', dialect)).toEqual(below);
  });
});

test('the way below grpc-js is there', async () => {
  expect(await wayWith({})).toBe('http2');
});

test('with server interceptors, which hide it, frames go through grpc-js', async () => {
  const { ServerInterceptingCall } = await import('@grpc/grpc-js');
  const interceptors = [(_method: unknown, call: never) => new ServerInterceptingCall(call)];
  expect(await wayWith({ interceptors })).toBe('grpc');
});

/** Which way a call of a server with these options would be pushed to. */
async function wayWith(options: object): Promise<string> {
  const server = new Server(options);
  ends.push(() => server.forceShutdown());
  const definition: ServiceDefinition = DISCOVERY_SERVICE;
  const way = new Promise<string>((resolve) => {
    const handle = (call: RawCall): void => {
      resolve(createPushChannel(call).way);
      call.end();
    };
    server.addService(definition, Object.fromEntries(Object.keys(definition).map((name) => [name, handle])));
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const connection = new XdsConnection(port);
  ends.push(() => connection.close());
  connection.open('sotw', AGGREGATED.sotw).ask('clusters', { node: node('n1') });
  return way;
}
