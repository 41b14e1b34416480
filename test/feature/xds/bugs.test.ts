// Of the bugs that other xDS servers shipped those that need a wire; the others are in test/unit/xds/bugs.test.ts.
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { node, type XdsClient, XdsConnection } from '../../support/xds-client.ts';
import { scene } from '../../support/xds-script.ts';
import { startXdsWorld, type XdsWorld } from '../../support/xds-world.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const at = (endpoints: number, content = '1') =>
  scene({ clusters: { a: content, b: '1' }, routes: ['a'], endpoints });

async function world(options: Parameters<typeof startXdsWorld>[0] = {}): Promise<XdsWorld> {
  const started = await startXdsWorld(options);
  ends.push(() => started.close());
  started.publishScene(at(1));
  return started;
}

function connect({ server }: XdsWorld): XdsConnection {
  const connection = new XdsConnection(server.port);
  ends.push(() => connection.close());
  return connection;
}

describe.each(['http2', 'grpc'] as const)('with frames written by %s', (way) => {
  test('bug 2: an acknowledgement that comes at once is never taken for a stale one', async () => {
    const w = await world({ server: { way } });
    const client = connect(w).open('sotw');
    client.call.on('data', () => {
      const last = client.received.at(-1);
      if (last !== undefined) client.acknowledge(last, ['a']);
    });
    client.ask('endpoints', { node: node('n1'), resourceNames: ['a'] });
    await eventually(() => w.proxy('n1').publication === 1);
    for (let number = 2; number <= 100; number += 1) {
      w.publishScene(at(number));
      await eventually(() => w.proxy('n1').publication === number, { every: 1 });
    }
    expect(client.received).toHaveLength(100);
  });

  test('bug 16: for a proxy that does not read, nothing piles up, and it gets the newest when it reads again', async () => {
    const w = await world({ server: { way } });
    const content = 'x'.repeat(1_000_000);
    const client = connect(w).open('sotw');
    client.ask('clusters', { node: node('slow') });
    client.acknowledge(await client.next());
    await eventually(() => w.proxy('slow').publication === 1);
    client.call.pause();
    let last = 0;
    for (let number = 0; number < 50; number += 1) last = w.publishScene(at(1, `${content}${number}`));
    client.call.resume();
    client.acknowledge(await client.next());
    const newest = await client.next();
    client.acknowledge(newest);
    await eventually(() => w.proxy('slow').publication === last);
    expect(client.received).toHaveLength(3);
    expect(Buffer.from(newest.resources[0]?.bytes ?? []).toString()).toMatch(/x49$/);
  });

  test('a slow proxy delays nobody else', async () => {
    const w = await world({ server: { way } });
    const slow = connect(w).open('sotw');
    const quick = connect(w).open('sotw');
    slow.ask('clusters', { node: node('slow') });
    quick.ask('clusters', { node: node('quick') });
    await slow.next();
    quick.acknowledge(await quick.next());
    await eventually(() => w.proxy('quick').publication === 1);
    const second = w.publishScene(at(1, '2'));
    quick.acknowledge(await quick.next());
    await eventually(() => w.proxy('quick').publication === second);
    expect(w.proxy('slow').publication).toBe(0);
  });
});

test('bug 20: nothing is left of streams that ended, however they ended', async () => {
  const w = await world();
  const open: (() => Promise<XdsClient>)[] = [
    async () => connect(w).open('sotw'),
    async () => connect(w).open('delta'),
    async () => connect(w).open('sotw', '/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters'),
  ];
  for (const [index, opened] of open.entries()) {
    for (const how of ['cancel', 'end', 'error'] as const) {
      const client = await opened();
      const id = node(`${index}-${how}`);
      if (client.dialect === 'sotw') client.ask('clusters', { node: id });
      else client.change('clusters', { node: id });
      await client.next();
      if (how === 'cancel') client.cancel();
      else if (how === 'end') client.call.end();
      else client.sendBytes(new Uint8Array([0x0a, 0xff]));
      await eventually(() => w.publisher.progress().proxies.length === 0);
      expect(w.publisher.progress().proxies).toEqual([]);
    }
  }
});

test('bug 21: a rejection without a reason, before anything was sent, or of what was never sent, harms nothing', async () => {
  const w = await world();
  const client = connect(w).open('sotw');
  client.ask('clusters', { node: node('n1'), responseNonce: 'never', errorDetail: {} });
  const first = await client.next();
  client.ask('clusters', { responseNonce: 'never', errorDetail: { code: 13 } });
  client.ask('clusters', { responseNonce: first.nonce, errorDetail: {} });
  await eventually(() => w.proxy('n1').types[0]?.rejection?.message === 'rejected without a reason');
  w.publishScene(at(1, '2'));
  expect((await client.next()).type).toBe('clusters');
});

test('bug 22: the end of an old connection does not touch the new one of the same proxy', async () => {
  const w = await world();
  const connections = [connect(w), connect(w)];
  const [old, fresh] = connections.map((connection) => connection.open('sotw'));
  for (const client of [old, fresh]) {
    client?.ask('clusters', { node: node('n1') });
    const response = await client?.next();
    if (response !== undefined) client?.acknowledge(response);
  }
  old?.cancel();
  await eventually(() => w.publisher.progress().proxies.length === 1);
  w.publishScene(at(1, '2'));
  expect((await fresh?.next())?.type).toBe('clusters');
});

test('bug 22: a second separate stream for a type takes over, and the end of the first changes nothing', async () => {
  const w = await world();
  const connection = connect(w);
  const path = '/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters';
  const old = connection.open('sotw', path);
  old.ask('clusters', { node: node('n1') });
  old.acknowledge(await old.next());
  const fresh = connection.open('sotw', path);
  fresh.ask('clusters', { node: node('n1') });
  fresh.acknowledge(await fresh.next());
  old.cancel();
  await eventually(() => old.ended);
  await eventually(() => w.proxy('n1').publication === 1);
  w.publishScene(at(1, '2'));
  expect((await fresh.next()).type).toBe('clusters');
  expect(w.publisher.progress().proxies).toHaveLength(1);
});

test('bug 25: a client that pings often keeps its connection', async () => {
  const w = await world();
  const session = connectHttp2(`http://127.0.0.1:${w.server.port}`);
  ends.push(() => session.destroy());
  await once(session, 'remoteSettings');
  let gone = false;
  session.on('goaway', () => (gone = true));
  session.on('close', () => (gone = true));
  for (let number = 0; number < 200; number += 1) {
    await new Promise<void>((resolve, reject) => {
      session.ping((error) => (error === null ? resolve() : reject(error)));
    });
  }
  expect(gone).toBe(false);
});
