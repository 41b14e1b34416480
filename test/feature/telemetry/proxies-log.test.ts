// What happens to proxies on the wire is in the log: nothing that goes wrong is silent.
import { status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { createLog } from '../../../src/telemetry/log.ts';
import { xdsLog } from '../../../src/telemetry/xds-log.ts';
import type { Fleet } from '../../../src/xds/publisher.ts';
import { startXdsServer } from '../../../src/xds/server.ts';
import { eventually } from '../../support/eventually.ts';
import { node, XdsConnection } from '../../support/xds-client.ts';
import { scene } from '../../support/xds-script.ts';
import { startXdsWorld } from '../../support/xds-world.ts';

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function logged() {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: 'info', stream: { write: (line) => lines.push(JSON.parse(line)) } });
  const w = await startXdsWorld({ observer: xdsLog(log) });
  ends.push(() => w.close());
  w.publishScene(scene({ clusters: { a: '1' } }));
  return { w, lines };
}

function open(port: number) {
  const connection = new XdsConnection(port);
  ends.push(() => connection.close());
  return connection.open('sotw');
}

test('a proxy that comes, rejects and goes is logged', async () => {
  const { w, lines } = await logged();
  const client = open(w.server.port);
  client.ask('clusters', { node: node('gw') });
  const { nonce, version } = await client.next();
  client.ask('clusters', { responseNonce: nonce, errorDetail: { code: 3, message: 'no room' } });
  await eventually(() => lines.length === 2);
  client.cancel();
  await eventually(() => lines.length === 3);
  expect(lines).toMatchObject([
    { level: 'info', msg: 'a proxy connected', proxy: 'gw', kind: 'envoy', protocol: 'sotw' },
    { level: 'warn', proxy: 'gw', type: 'clusters', version, reason: 'no room' },
    { level: 'info', msg: 'a proxy disconnected', proxy: 'gw' },
  ]);
});

test('a stream that is refused is logged with the reason that the client is given', async () => {
  const { w, lines } = await logged();
  const client = open(w.server.port);
  client.ask('clusters');
  const { code, details } = await client.end();
  expect(lines).toMatchObject([{ level: 'warn', code, reason: details, times: 1 }]);
});

test('a stream that fails by a fault of the server is logged with the stack', async () => {
  const { w, lines } = await logged();
  const fleet: Fleet = Object.create(w.publisher.fleet, {
    aim: {
      value: () => {
        throw new Error('a fault of the server');
      },
    },
  });
  const server = await startXdsServer({ publisher: { ...w.publisher, fleet }, host: '127.0.0.1', port: 0 });
  ends.push(() => server.close());
  const client = open(server.port);
  client.ask('clusters', { node: node('gw') });
  expect(await client.end()).toEqual({ code: status.INTERNAL, details: 'a fault of the server' });
  const failed = lines.find(({ level }) => level === 'error') as { err: { stack: string } } | undefined;
  expect(failed).toMatchObject({ code: status.INTERNAL, reason: 'a fault of the server' });
  expect(failed?.err.stack).toContain('proxies-log.test.ts');
});
