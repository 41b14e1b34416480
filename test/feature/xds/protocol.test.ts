// What of the protocol needs a wire: first requests, nonces, bounds, refusals, separate streams.
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { serviceRoutes, table } from '../../support/tables.ts';
import { node, type XdsClient, XdsConnection } from '../../support/xds-client.ts';
import { scene } from '../../support/xds-script.ts';
import { startXdsWorld, type XdsWorld } from '../../support/xds-world.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const AB = scene({ clusters: { a: '1', b: '1' }, routes: ['a'] });

async function world(options: Parameters<typeof startXdsWorld>[0] = {}): Promise<XdsWorld> {
  const started = await startXdsWorld(options);
  ends.push(() => started.close());
  return started;
}

function connect({ server }: XdsWorld): XdsConnection {
  const connection = new XdsConnection(server.port);
  ends.push(() => connection.close());
  return connection;
}

async function aggregated(dialect: 'sotw' | 'delta' = 'sotw'): Promise<{ w: XdsWorld; client: XdsClient }> {
  const w = await world();
  w.publishScene(AB);
  return { w, client: connect(w).open(dialect) };
}

describe('an aggregated stream', () => {
  test('S1: keeps the node of its first request', async () => {
    const { w, client } = await aggregated();
    client.ask('clusters', { node: node('n1') });
    await client.next();
    client.ask('endpoints', { resourceNames: ['a'] });
    expect((await client.next()).type).toBe('endpoints');
    expect(w.proxy('n1').types.map(({ type }) => type)).toEqual(['clusters', 'endpoints']);
  });

  test('S1: without a node, or a node without an id, is refused with a reason', async () => {
    const { w, client } = await aggregated();
    client.ask('clusters');
    expect(await client.end()).toEqual({
      code: status.INVALID_ARGUMENT,
      details: 'the first request on a stream must carry the node',
    });
    const second = connect(w).open('sotw');
    second.ask('clusters', { node: node('') });
    expect((await second.end()).details).toContain('node.id is empty');
  });

  test('S3: has a fresh nonce for every response, never the version, and versions may come back', async () => {
    const { w, client } = await aggregated();
    client.ask('endpoints', { node: node('n1'), resourceNames: ['a'] });
    const seen = [await client.next()];
    for (const endpoints of [2, 1, 2, 1]) {
      client.acknowledge(seen.at(-1) ?? expect.fail('no response'), ['a']);
      await eventually(() => w.proxy('n1').types[0]?.publication === w.publisher.progress().publication);
      w.publishScene(scene({ clusters: { a: '1', b: '1' }, routes: ['a'], endpoints }));
      seen.push(await client.next());
    }
    expect(new Set(seen.map(({ nonce }) => nonce)).size).toBe(5);
    expect(seen.every(({ nonce, version }) => nonce !== '' && nonce !== version)).toBe(true);
    expect(seen[4]?.version).toBe(seen[0]?.version);
  });

  test('S15: leaves a type that it does not know without an answer and goes on; an empty type is an error', async () => {
    const { client } = await aggregated();
    client.ask('type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret', { node: node('n1') });
    client.ask('clusters');
    expect((await client.next()).type).toBe('clusters');
    client.ask('', {});
    expect(await client.end()).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test('O8: takes names as they are, xdstp:// and all', async () => {
    const { client } = await aggregated('delta');
    const name = 'xdstp://authority/envoy.config.cluster.v3.Cluster/a?x=1';
    client.change('clusters', { node: node('n1'), resourceNamesSubscribe: [name] });
    expect((await client.next()).removed).toEqual([name]);
  });

  test('of two proxies with one id both are shown', async () => {
    const { w, client } = await aggregated();
    client.ask('clusters', { node: node('twin') });
    await client.next();
    const second = connect(w).open('sotw');
    second.ask('clusters', { node: node('twin') });
    await second.next();
    expect(w.publisher.progress().proxies.map(({ id }) => id)).toEqual(['twin', 'twin#2']);
  });

  test.each(['sotw', 'delta'] as const)(
    'over %s shows a rejection until something else is to be sent',
    async (dialect) => {
      const { w, client } = await aggregated(dialect);
      if (dialect === 'sotw') client.ask('clusters', { node: node('n1') });
      else client.change('clusters', { node: node('n1') });
      const { nonce, version } = await client.next();
      const errorDetail = { code: 13, message: 'cluster a is odd' };
      if (dialect === 'sotw') client.ask('clusters', { responseNonce: nonce, errorDetail });
      else client.change('clusters', { responseNonce: nonce, errorDetail });
      const rejection = await eventually(() => w.proxy('n1').types[0]?.rejection);
      expect(rejection).toMatchObject({ message: 'cluster a is odd', version });
      expect(w.proxy('n1').publication).toBe(0);
      const next = w.publishScene(scene({ clusters: { a: '2', b: '2' }, routes: ['a'] }));
      client.acknowledge(await client.next());
      await eventually(() => w.proxy('n1').publication === next);
      expect(w.proxy('n1').types[0]?.rejection).toBeUndefined();
    },
  );
});

describe('bounds', () => {
  test('a request that is no message, has too many names or too long ones ends the stream with the reason', async () => {
    const w = await world();
    w.publishScene(AB);
    const refusals: [(client: XdsClient) => void, string][] = [
      [(client) => client.sendBytes(new Uint8Array([0x0a, 0xff])), 'this is not a discovery request'],
      [
        (client) => client.ask('endpoints', { node: node('n'), resourceNames: ['x'.repeat(3_000)] }),
        '2048 characters',
      ],
      [
        (client) =>
          client.ask('endpoints', {
            node: node('n'),
            resourceNames: Array.from({ length: 20_001 }, () => 'x'),
          }),
        'may carry 20000 resource names',
      ],
      [
        (client) =>
          client.ask('clusters', { node: node('n', { metadata: { switchyard: { listener: ['a'] } } }) }),
        'metadata.switchyard.listener is unknown; allowed are listeners and services',
      ],
    ];
    for (const [send, reason] of refusals) {
      const client = connect(w).open('sotw');
      send(client);
      const { code, details } = await client.end();
      expect(code).toBe(status.INVALID_ARGUMENT);
      expect(details).toContain(reason);
    }
    expect(w.publisher.progress().proxies).toEqual([]);
  });

  test('a message above 4 MiB ends the stream', async () => {
    const { client } = await aggregated();
    client.sendBytes(new Uint8Array(4 * 1024 * 1024 + 1));
    expect((await client.end()).code).toBe(status.RESOURCE_EXHAUSTED);
  });

  test('a stream without a request is ended; O12: one with a request is never ended without a response', async () => {
    const w = await world({ server: { times: { firstRequest: 50 } } });
    w.publishScene(AB);
    const idle = connect(w).open('sotw');
    const busy = connect(w).open('sotw');
    busy.ask('listeners', {
      node: node('n1', { userAgentName: 'gRPC test' }),
      resourceNames: ['nothing-of-that-name'],
    });
    expect((await busy.next()).resources).toEqual([]);
    expect((await idle.end()).code).toBe(status.DEADLINE_EXCEEDED);
    expect(busy.ended).toBe(false);
  });
});

describe('a server', () => {
  test('O10: refuses streams until its state is loaded', async () => {
    const w = await world();
    const client = connect(w).open('sotw');
    client.ask('clusters', { node: node('n1') });
    expect(await client.end()).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('with an empty store answers nobody who holds configuration, until a service is there', async () => {
    const w = await world({ emptyStore: true });
    w.publish(table());
    const fresh = connect(w).open('sotw');
    fresh.ask('clusters', { node: node('fresh') });
    expect((await fresh.next()).resources).toEqual([]);
    const configured = connect(w).open('delta');
    configured.change('clusters', { node: node('configured'), initialResourceVersions: { a: '1' } });
    await eventually(() => w.proxy('configured'));
    fresh.ask('listeners');
    await fresh.next();
    expect(configured.received).toEqual([]);
    w.publish(table(serviceRoutes()));
    expect((await configured.next()).type).toBe('clusters');
  });

  test('with an empty store answers everybody once that is accepted', async () => {
    const w = await world({ emptyStore: true, server: { times: { burst: 1 } } });
    w.publish(table());
    const configured = connect(w).open('sotw');
    configured.ask('clusters', { node: node('configured'), versionInfo: 'any' });
    await eventually(() => w.proxy('configured'));
    w.publisher.acceptEmpty();
    expect((await configured.next()).resources).toEqual([]);
  });

  test('keeps its snapshot when a publication cannot be translated, or would name nothing', async () => {
    const { w, client } = await aggregated();
    expect(() => w.publishScene(scene({ clusters: {}, routes: ['lost'] }))).toThrow('names "lost"');
    expect(() => w.publisher.publish({ number: 1, table: table() })).toThrow(RangeError);
    client.ask('clusters', { node: node('n1') });
    expect((await client.next()).resources).toHaveLength(2);
    expect(w.publisher.progress().publication).toBe(1);
  });

  test('O6: does not offer polling, and says so', async () => {
    const { w } = await aggregated();
    const client = connect(w).open('sotw', '/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters');
    expect((await client.end()).code).toBe(status.UNIMPLEMENTED);
  });

  test('O9: gives the same versions as another one with the same table', async () => {
    const versions = await Promise.all(
      [1, 2].map(async (number) => {
        const { w, client } = await aggregated();
        if (number === 2) w.publishScene(scene({ clusters: { a: '1' } }));
        if (number === 2) w.publishScene(AB);
        client.ask('clusters', { node: node('n1') });
        return (await client.next()).version;
      }),
    );
    expect(versions[0]).toBe(versions[1]);
  });
});
