// A real Envoy and instances in several zones: each gets its even share, as if there were none.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { serviceRoutes, table } from '../support/tables.ts';

const REQUESTS = 300;

/** Answers with its name. */
async function instance(name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name)).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
}

test('each instance gets its even share, however many its zone has, and one without a zone too', async () => {
  const zones = ['zone-a', 'zone-b', 'zone-b', 'zone-c', 'zone-c', 'zone-c', undefined];
  const endpoints = [];
  for (const [index, zone] of zones.entries())
    endpoints.push({
      host: '127.0.0.1',
      port: await instance(`${index}`),
      ...(zone === undefined ? {} : { zone }),
    });
  const gateway = await startGateway(
    table(
      serviceRoutes({
        listeners: [{ name: 'gateway', port: 0 }],
        versions: { v1: { endpoints } },
        defaultRoute: { kind: 'Single', version: 'v1' },
      }),
    ),
  );
  onTestFinished(() => gateway.stop());
  const counts = new Map<string, number>();
  for (let request = 0; request < REQUESTS; request += 1) {
    const response = await fetch(`http://127.0.0.1:${gateway.port()}/`);
    const name = await response.text();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const share = REQUESTS / zones.length;
  expect([...counts.keys()].toSorted()).toEqual(zones.map((_, index) => `${index}`));
  // Envoy takes turns.
  for (const count of counts.values()) expect(Math.abs(count - share)).toBeLessThan(2);
});
