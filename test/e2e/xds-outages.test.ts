// A real Envoy that is paused, cut off or on separate streams while the table changes never serves a route to a cluster
// that it lacks, and follows when it can.

import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { RoutingTable } from '../../src/model/table.ts';
import { bootstrap } from '../../src/xds/bootstrap.ts';
import { type Envoy, startEnvoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { serviceRoutes, table } from '../support/tables.ts';
import { startXdsWorld, type XdsWorld } from '../support/xds-world.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

describe.each(['sotw', 'delta'] as const)('an Envoy over %s', (protocol) => {
  test('that is paused during flips misses none of what counts, and ends on the last', async () => {
    const { world, envoy, tableOf, ask } = await gateway(protocol);
    for (let round = 0; round < 3; round += 1) {
      envoy.signal('SIGSTOP');
      let last = 0;
      for (const primary of ['v2', 'v1', 'v2', 'v1', 'v2'])
        last = world.publish(tableOf(['v1', 'v2'], primary));
      expect(world.proxy('gateway-1').routesPublication).toBeLessThan(last);
      envoy.signal('SIGCONT');
      await eventually(() => world.proxy('gateway-1').routesPublication === last);
      expect(await ask()).toBe('v2');
      await reach(world, tableOf(['v1', 'v2'], 'v1'));
    }
    await expectUnhurt(envoy);
  });

  test('that is cut off while its versions are exchanged comes back to the new ones unhurt', async () => {
    const { world, envoy, tableOf, ask } = await gateway(protocol);
    const port = world.server.port;
    await world.close();
    // Another server, which knows nothing of v1 and v2: what the Envoy still uses cannot be told to it.
    const other = await startXdsWorld({ server: { port }, firstNumber: 100 });
    ends.push(() => other.close());
    const traffic = keepAsking(ask);
    other.publish(tableOf(['v3'], 'v3'));
    await eventually(() => other.proxy('gateway-1').publication === 100, { within: 60_000 });
    expect(await ask()).toBe('v3');
    const answers = await traffic();
    expect([...new Set(answers)].every((text) => text === 'v1' || text === 'v3')).toBe(true);
    await expectUnhurt(envoy);
  });

  test('on separate streams follows in the same order', async () => {
    const { world, envoy, tableOf, ask } = await gateway(protocol, 'separate');
    expect(world.publisher.progress().proxies).toHaveLength(1);
    const traffic = keepAsking(ask);
    await reach(world, tableOf(['v2'], 'v2'));
    await reach(world, tableOf(['v3'], 'v3'));
    await reach(world, tableOf(['v1', 'v3'], 'v1'));
    expect(await ask()).toBe('v1');
    expect((await traffic()).filter((text) => !/^v[123]$/.test(text))).toEqual([]);
    await expectUnhurt(envoy);
  });

  test('whose versions are exchanged again and again under requests fails none of them', async () => {
    const { world, envoy, tableOf, ask } = await gateway(protocol);
    const traffic = keepAsking(ask);
    for (let round = 0; round < 10; round += 1) {
      await reach(world, tableOf(['v2'], 'v2'));
      await reach(world, tableOf(['v1'], 'v1'));
    }
    expect((await traffic()).filter((text) => text !== 'v1' && text !== 'v2')).toEqual([]);
    await expectUnhurt(envoy);
  });

  test('whose version has health checks and a host that never answers gets the routes all the same', async () => {
    const { world, envoy, tableOf, ask, mute } = await gateway(protocol);
    const upstream = {
      healthCheck: {
        kind: 'http',
        path: '/',
        interval: 500,
        timeout: 400,
        healthyThreshold: 1,
        unhealthyThreshold: 1,
      },
    } as const;
    const publication = await reach(world, tableOf(['v1', 'v2'], 'v2', { upstream, also: { v2: [mute] } }));
    expect(publication).toBe(2);
    await eventually(async () => (await ask()) === 'v2');
    await expectUnhurt(envoy);
  });
});

async function gateway(protocol: 'sotw' | 'delta', streams: 'aggregated' | 'separate' = 'aggregated') {
  const world = await startXdsWorld();
  ends.push(() => world.close());
  const port = await freePort();
  const at = Object.fromEntries(
    await Promise.all(['v1', 'v2', 'v3'].map(async (name) => [name, await upstreamServer(name)] as const)),
  );
  const tableOf = (
    versions: readonly string[],
    primary: string,
    more: { upstream?: object; also?: Record<string, number[]> } = {},
  ): RoutingTable =>
    table(
      serviceRoutes({
        listeners: [{ name: 'gateway', address: '127.0.0.1', port, domains: ['*'] }],
        ...(more.upstream && { upstream: more.upstream }),
        versions: Object.fromEntries(
          versions.map((name) => [
            name,
            {
              endpoints: [at[name] ?? 0, ...(more.also?.[name] ?? [])]
                .toSorted((one, other) => one - other)
                .map((each) => ({ host: '127.0.0.1', port: each })),
            },
          ]),
        ),
        defaultRoute: { kind: 'Single', version: primary },
      }),
    );
  const first = world.publish(tableOf(['v1', 'v2'], 'v1'));
  const start = bootstrap({
    nodeId: 'gateway-1',
    nodeCluster: 'gateways',
    protocol,
    controller: { host: '127.0.0.1', port: world.server.port },
    listeners: [],
    services: [],
    admin: { host: '127.0.0.1', port: 0 },
    accessLog: false,
    withoutController: 'FailClosed',
  });
  const envoy: Envoy = await startEnvoy(streams === 'separate' ? separate(start) : start);
  ends.push(() => envoy.stop());
  const ask = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
  await eventually(async () => (await ask()) === 'v1', { what: 'the first answer through the gateway' });
  if (streams === 'aggregated') await eventually(() => world.proxy('gateway-1').publication === first);
  return { world, envoy, tableOf, ask, mute: await muteServer() };
}

/** The same bootstrap with a stream for clusters and one for listeners; what follows from these stays on ADS. */
function separate(start: object): object {
  const { dynamic_resources: dynamic, ...rest } = structuredClone(start) as {
    dynamic_resources: Record<string, unknown>;
  };
  const { ads_config: ads } = dynamic as { ads_config: object };
  const source = { resource_api_version: 'V3', api_config_source: ads };
  return { ...rest, dynamic_resources: { cds_config: source, lds_config: source, ads_config: ads } };
}

async function reach(world: XdsWorld, wanted: RoutingTable): Promise<number> {
  const number = world.publish(wanted);
  await eventually(() =>
    world.publisher.progress().proxies.every(({ publication }) => publication === number),
  );
  return number;
}

/** Asks one request after the other until the returned function is called, which gives all answers. */
function keepAsking(ask: () => Promise<string>): () => Promise<string[]> {
  const answers: string[] = [];
  const stop = new AbortController();
  const loop = (async () => {
    while (!stop.signal.aborted) answers.push(await ask());
  })();
  return async () => {
    stop.abort();
    await loop;
    return answers;
  };
}

async function expectUnhurt(envoy: Envoy): Promise<void> {
  const bad = await envoy.stats('(update_rejected|no_cluster|init_fetch_timeout|upstream_cx_none_healthy)$');
  expect([...bad].filter(([, count]) => count > 0)).toEqual([]);
}

async function upstreamServer(text: string): Promise<number> {
  const server = createHttpServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server that accepts connections and never answers. */
async function muteServer(): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
