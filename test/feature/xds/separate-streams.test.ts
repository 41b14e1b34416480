// A stream per type: what they share, and in which order things come on them.
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
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

describe('separate streams', () => {
  const SERVICE = {
    clusters: 'envoy.service.cluster.v3.ClusterDiscoveryService',
    endpoints: 'envoy.service.endpoint.v3.EndpointDiscoveryService',
    listeners: 'envoy.service.listener.v3.ListenerDiscoveryService',
    routes: 'envoy.service.route.v3.RouteDiscoveryService',
  };
  const METHODS = { clusters: 'Clusters', endpoints: 'Endpoints', listeners: 'Listeners', routes: 'Routes' };

  test.each(['sotw', 'delta'] as const)(
    'O5: over %s a stream per type, with the type implied',
    async (dialect) => {
      const w = await world();
      w.publishScene(AB);
      const connection = connect(w);
      const prefix = dialect === 'sotw' ? 'Stream' : 'Delta';
      for (const type of ['clusters', 'endpoints', 'listeners'] as const) {
        const client = connection.open(dialect, `/${SERVICE[type]}/${prefix}${METHODS[type]}`);
        const names = type === 'endpoints' ? ['a', 'b'] : [];
        if (dialect === 'sotw') client.ask('', { node: node('n1'), resourceNames: names });
        else client.change('', { node: node('n1'), resourceNamesSubscribe: names });
        expect((await client.next()).type).toBe(type);
      }
      expect(w.publisher.progress().proxies).toHaveLength(1);
      expect(w.proxy('n1').types.map(({ type }) => type)).toEqual(['clusters', 'endpoints', 'listeners']);
    },
  );

  test.each(['sotw', 'delta'] as const)(
    'over %s share one order: a route waits for the cluster',
    async (dialect) => {
      const w = await world();
      w.publishScene(scene({ clusters: { a: '1' }, routes: ['a'] }));
      const connection = connect(w);
      const prefix = dialect === 'sotw' ? 'Stream' : 'Delta';
      const open = async (type: keyof typeof SERVICE, names: string[]): Promise<XdsClient> => {
        const client = connection.open(dialect, `/${SERVICE[type]}/${prefix}${METHODS[type]}`);
        if (dialect === 'sotw') client.ask(type, { node: node('n1'), resourceNames: names });
        else client.change(type, { node: node('n1'), resourceNamesSubscribe: names });
        client.acknowledge(await client.next(), names);
        return client;
      };
      const clusters = await open('clusters', []);
      const endpoints = await open('endpoints', ['a']);
      const routes = await open('routes', ['gateway']);
      await eventually(() => w.proxy('n1').publication === 1);
      w.publishScene(scene({ clusters: { a: '1', b: '1' }, routes: ['b'] }));
      clusters.acknowledge(await clusters.next());
      if (dialect === 'sotw')
        endpoints.ask('endpoints', {
          resourceNames: ['a', 'b'],
          responseNonce: endpoints.received[0]?.nonce ?? '',
        });
      else endpoints.change('endpoints', { resourceNamesSubscribe: ['b'] });
      const assigned = await endpoints.next();
      expect(routes.received).toHaveLength(1);
      endpoints.acknowledge(assigned, ['a', 'b']);
      routes.acknowledge(await routes.next(), ['gateway']);
      await eventually(() => w.proxy('n1').publication === 2);
    },
  );

  test('beside an aggregated one are the same proxy, as an Envoy has them whose clusters come on a stream of their own', async () => {
    const w = await world();
    w.publishScene(scene({ clusters: { a: '1' }, routes: ['a'] }));
    const connection = connect(w);
    const clusters = connection.open('sotw', `/${SERVICE.clusters}/StreamClusters`);
    clusters.ask('clusters', { node: node('n1') });
    clusters.acknowledge(await clusters.next());
    const rest = connection.open('sotw');
    rest.ask('endpoints', { node: node('n1'), resourceNames: ['a'] });
    rest.acknowledge(await rest.next(), ['a']);
    rest.ask('routes', { resourceNames: ['gateway'] });
    rest.acknowledge(await rest.next(), ['gateway']);
    await eventually(() => w.proxy('n1').publication === 1);
    expect(w.publisher.progress().proxies).toHaveLength(1);
    rest.ask('clusters', {});
    expect((await rest.end()).details).toContain('clusters come on another stream');
    expect(w.proxy('n1').types.map(({ type }) => type)).toEqual(['clusters', 'endpoints', 'routes']);
    clusters.cancel();
    await eventually(() => w.publisher.progress().proxies.length === 0);
  });

  test('that break one by one leave what the proxy holds known, and it stays until others are acknowledged', async () => {
    const w = await world();
    w.publishScene(scene({ clusters: { a: '1' }, routes: ['a'] }));
    const connection = connect(w);
    const open = async (type: keyof typeof SERVICE, names: string[]): Promise<XdsClient> => {
      const client = connection.open('sotw', `/${SERVICE[type]}/Stream${METHODS[type]}`);
      client.ask(type, { node: node('n1'), resourceNames: names });
      client.acknowledge(await client.next(), names);
      return client;
    };
    const clusters = await open('clusters', []);
    await open('endpoints', ['a']);
    const routes = await open('routes', ['gateway']);
    await eventually(() => w.proxy('n1').publication === 1);
    routes.cancel();
    await eventually(() => routes.ended);
    w.publishScene(scene({ clusters: { b: '1' }, routes: ['b'] }));
    const both = await clusters.next();
    expect(both.resources.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['a 1', 'b 1']);
  });

  test('refuse another type', async () => {
    const w = await world();
    w.publishScene(AB);
    const client = connect(w).open('sotw', `/${SERVICE.clusters}/StreamClusters`);
    client.ask('routes', { node: node('n1') });
    expect(await client.end()).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});
