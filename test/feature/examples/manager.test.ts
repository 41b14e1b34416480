import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Faults, Instance } from '../../../examples/manager/instance.ts';
import { type ManagerServer, serve } from '../../../examples/manager/server.ts';
import type { RequestClient, StreamClient, StreamMessage } from '../../support/traffic/clients/client.ts';
import { GrpcClient, GrpcStreamClient } from '../../support/traffic/clients/grpc.ts';
import { Http1Client } from '../../support/traffic/clients/http1.ts';
import { Http2Client } from '../../support/traffic/clients/http2.ts';
import { WebsocketClient } from '../../support/traffic/clients/websocket.ts';
import type { Outcome } from '../../support/traffic/samples.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startManager(faults?: Faults): Promise<{ instance: Instance; server: ManagerServer }> {
  const instance = new Instance({ version: 'v1', instance: 'v1-a' }, faults);
  const server = await serve(instance, { host: '127.0.0.1', port: 0 });
  cleanups.push(() => server.stop(0));
  return { instance, server };
}

function closing<Client extends { close(): void }>(client: Client): Client {
  cleanups.push(() => client.close());
  return client;
}

const REQUEST_CLIENTS: Readonly<Record<string, (server: ManagerServer) => RequestClient>> = {
  'HTTP/1.1': (server) => new Http1Client(server),
  'HTTP/2': (server) => new Http2Client(server),
  gRPC: (server) => new GrpcClient(server),
};

const STREAM_CLIENTS: Readonly<Record<string, (server: ManagerServer) => StreamClient>> = {
  'HTTP/1.1': (server) => new Http1Client(server),
  'HTTP/2': (server) => new Http2Client(server),
  'gRPC server streaming': (server) => new GrpcStreamClient(server, 'watch'),
  'gRPC both ways': (server) => new GrpcStreamClient(server, 'work'),
  websocket: (server) => new WebsocketClient(server),
};

/** Opens a stream and keeps what it says. */
function follow(client: StreamClient) {
  const messages: StreamMessage[] = [];
  const ended = Promise.withResolvers<Outcome>();
  const stream = client.open(
    { tickMs: 20 },
    { onMessage: ({ version, draining }) => void messages.push({ version, draining }), onEnd: ended.resolve },
  );
  return { messages, stream, ended: ended.promise };
}

/** Resolves as soon as the condition holds; the test's own time limit bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

describe.each(Object.entries(REQUEST_CLIENTS))('the example manager over %s', (_, connect) => {
  it('names its version in each answer, also behind the fence, because open work must go on', async () => {
    const { instance, server } = await startManager();
    const client = closing(connect(server));
    expect(await client.send({ tenant: 'acme' })).toEqual({ kind: 'answered', version: 'v1' });
    instance.fence();
    expect(await client.send({})).toEqual({ kind: 'answered', version: 'v1' });
  });
});

describe.each(Object.entries(STREAM_CLIENTS))('a stream of the example manager over %s', (_, connect) => {
  it('is open work until its client ends it', async () => {
    const { instance, server } = await startManager();
    const { messages, stream } = follow(closing(connect(server)));
    await until(() => messages.length >= 3);
    expect(instance.report()).toMatchObject({ total: 1, open: [{ kind: 'stream' }] });
    stream.close();
    await until(() => instance.report().total === 0);
  });

  it('hears that the version drains, and goes on until the client is done', async () => {
    const { instance, server } = await startManager();
    const { messages, stream } = follow(closing(connect(server)));
    await until(() => messages.length >= 1);
    expect(messages.every(({ draining }) => !draining)).toBe(true);
    instance.fence();
    await until(() => messages.filter(({ draining }) => draining).length >= 3);
    expect(instance.report().total).toBe(1);
    stream.close();
    await until(() => instance.report().total === 0);
  });

  it('is not begun behind the fence, with an error that allows another try, until the fence is lifted', async () => {
    const { instance, server } = await startManager();
    instance.fence();
    const client = closing(connect(server));
    const refused = follow(client);
    expect(await refused.ended).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^(status 503|UNAVAILABLE)/),
    });
    expect(refused.messages).toEqual([]);
    instance.lift();
    const { messages } = follow(client);
    await until(() => messages.length >= 1);
  });
});

describe('the example manager', () => {
  it('takes control calls from those who speak to it directly, never through a proxy', async () => {
    const { instance, server } = await startManager();
    const url = `http://${server.host}:${server.port}/switchyard/drain`;
    const proxied = await fetch(url, { method: 'POST', headers: { 'x-forwarded-proto': 'http' } });
    expect([proxied.status, instance.fenced]).toEqual([404, false]);
    const direct = await fetch(url, { method: 'POST' });
    expect([direct.status, instance.fenced]).toEqual([200, true]);
    await fetch(url, { method: 'DELETE' });
    expect(instance.fenced).toBe(false);
  });

  it('stops only when its open requests are done, unless the grace time is over', async () => {
    const { instance, server } = await startManager();
    const client = closing(new Http1Client(server));
    const slow = client.send({ path: '/slow?ms=200' });
    await until(() => instance.report().total === 1);
    await server.stop(10_000);
    expect(await slow).toEqual({ kind: 'answered', version: 'v1' });
  });

  it('serves copies, and does not count them as open work, over HTTP and gRPC', async () => {
    const { instance, server } = await startManager();
    const copy = { 'x-switchyard-mirror': '1' };
    const http = await fetch(`http://${server.host}:${server.port}/stream?ms=20`, { headers: copy });
    await http.body?.getReader().read();
    expect([http.status, instance.report().total]).toEqual([200, 0]);

    const session = connectHttp2(`http://${server.host}:${server.port}`);
    cleanups.push(() => session.destroy());
    const call = session.request({
      ':method': 'POST',
      ':path': '/examples.manager.v1.Manager/Watch',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...copy,
    });
    // One empty message: no compression, no bytes.
    call.end(Buffer.alloc(5));
    await once(call, 'data');
    expect(instance.report().total).toBe(0);
  });

  it('takes no other mark for a copy', async () => {
    const { instance, server } = await startManager();
    const headers = { 'x-switchyard-mirror': 'yes' };
    const stream = await fetch(`http://${server.host}:${server.port}/stream?ms=20`, { headers });
    await stream.body?.getReader().read();
    expect(instance.report().total).toBe(1);
  });

  it.each(['Everyone', 'Clients'] as const)('is bad for %s when told to', async (failFor) => {
    const { server } = await startManager({ failPercent: 50, delayMs: 0, failFor });
    const ask = async (headers: Readonly<Record<string, string>>): Promise<readonly number[]> => {
      const url = `http://${server.host}:${server.port}/`;
      return [(await fetch(url, { headers })).status, (await fetch(url, { headers })).status];
    };
    expect(await ask({ 'x-switchyard-mirror': '1' })).toEqual([200, failFor === 'Everyone' ? 500 : 200]);
    expect(await ask({})).toEqual([200, 500]);
  });

  it.each(['/slow?ms=x', '/stream?ms=1', '/slow?ms=9999999999'])('refuses %s in words', async (path) => {
    const { server } = await startManager();
    const response = await fetch(`http://${server.host}:${server.port}${path}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: /must be whole milliseconds/,
    });
  });
});
