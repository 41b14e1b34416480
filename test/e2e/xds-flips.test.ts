// A real Envoy follows the server: it takes a table, flips, keeps what it has while the server is away.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
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
  test('takes the table, follows flips and rollbacks, and never rejects or lacks a cluster', async () => {
    const { world, envoy, tableWith, ask } = await gateway(protocol);
    for (let round = 0; round < 10; round += 1) {
      const primary = round % 2 === 0 ? 'v2' : 'v1';
      const number = world.publish(tableWith(primary));
      await eventually(() => world.proxy('gateway-1').routesPublication === number);
      await eventually(async () => (await ask()) === primary);
    }
    expect(await rejections(envoy)).toEqual(new Map());
    expect(await envoy.stat('http.gateway.no_cluster')).toBe(0);
    expect(world.proxy('gateway-1')).toMatchObject({ kind: 'envoy', protocol, publication: 11 });
    expect(world.proxy('gateway-1').userAgent).toMatch(/^envoy 1\.\d+\.\d+$/);
  });

  test('gets a new version beside the old, is flipped to it, and loses the old one only after that', async () => {
    const { world, envoy, ports, tableOf, ask } = await gateway(protocol);
    const v3 = await upstream('v3');
    world.publish(tableOf({ v1: ports.v1, v2: ports.v2, v3 }, 'v1'));
    const flip = world.publish(tableOf({ v1: ports.v1, v2: ports.v2, v3 }, 'v3'));
    await eventually(() => world.proxy('gateway-1').routesPublication === flip);
    expect(await ask()).toBe('v3');
    // All at once: new routes, without v1, whose cluster goes in the same publication.
    const removal = world.publish(tableOf({ v2: ports.v2, v3 }, 'v2'));
    await eventually(() => world.proxy('gateway-1').publication === removal);
    expect(await ask()).toBe('v2');
    expect(await rejections(envoy)).toEqual(new Map());
    const names = [...(await envoy.stats('membership_total')).keys()].filter((name) => name.includes('v1'));
    expect(names).toEqual([]);
  });

  test('sees no change when the server restarts with the same table, and follows it again', async () => {
    const { world, envoy, tableWith, ask } = await gateway(protocol);
    const port = world.server.port;
    const versions = await envoy.stats('\\.(version|update_rejected)$');
    const reloads = await envoy.stats(
      '(cluster_modified|cluster_added|cluster_removed|listener_modified|rds\\..*config_reload)$',
    );
    await world.close();
    expect(await ask()).toBe('v1');
    const again = await startXdsWorld({ firstNumber: 100, server: { port } });
    ends.push(() => again.close());
    const number = again.publish(tableWith('v1'));
    await eventually(() => again.proxy('gateway-1').publication === number, { within: 30_000 });
    expect(await envoy.stats('\\.(version|update_rejected)$')).toEqual(versions);
    expect(
      await envoy.stats(
        '(cluster_modified|cluster_added|cluster_removed|listener_modified|rds\\..*config_reload)$',
      ),
    ).toEqual(reloads);
    const flip = again.publish(tableWith('v2'));
    await eventually(() => again.proxy('gateway-1').routesPublication === flip);
    expect(await ask()).toBe('v2');
  });
});

async function gateway(protocol: 'sotw' | 'delta') {
  const world = await startXdsWorld();
  ends.push(() => world.close());
  const port = await freePort();
  const ports = { v1: await upstream('v1'), v2: await upstream('v2') };
  const tableOf = (versions: Record<string, number>, primary: string): RoutingTable =>
    table(
      serviceRoutes({
        listeners: [{ name: 'gateway', address: '127.0.0.1', port, domains: ['*'] }],
        versions: Object.fromEntries(
          Object.entries(versions).map(([name, at]) => [
            name,
            { endpoints: [{ host: '127.0.0.1', port: at }] },
          ]),
        ),
        defaultRoute: { kind: 'Single', version: primary },
      }),
    );
  const tableWith = (primary: string): RoutingTable => tableOf(ports, primary);
  world.publish(tableWith('v1'));
  const envoy: Envoy = await startEnvoy(
    bootstrap({
      nodeId: 'gateway-1',
      nodeCluster: 'gateways',
      protocol,
      controller: { host: '127.0.0.1', port: world.server.port },
      listeners: [],
      services: [],
      admin: { host: '127.0.0.1', port: 0 },
      accessLog: false,
      withoutController: 'FailClosed',
    }),
  );
  ends.push(() => envoy.stop());
  const ask = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
  await eventually(async () => (await ask()) === 'v1', { what: 'the first answer through the gateway' });
  return { world, envoy, ports, tableOf, tableWith, ask } satisfies { world: XdsWorld } & Record<
    string,
    unknown
  >;
}

async function upstream(text: string): Promise<number> {
  const server: Server = createServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function rejections(envoy: Envoy): Promise<ReadonlyMap<string, number>> {
  return new Map([...(await envoy.stats('update_rejected$'))].filter(([, count]) => count > 0));
}
