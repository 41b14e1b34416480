// What a proxy sends is bounded and can be shown: its id, its reasons, and what errors say of it.
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

async function open(): Promise<{ w: XdsWorld; client: XdsClient }> {
  const w = await startXdsWorld();
  ends.push(() => w.close());
  w.publishScene(scene({ clusters: { a: '1' } }));
  const connection = new XdsConnection(w.server.port);
  ends.push(() => connection.close());
  return { w, client: connection.open('sotw') };
}

describe('the id of a node', () => {
  test.each([
    ['longer than 256 characters', 'x'.repeat(3_000_000)],
    ['with a line break', 'gw\nforged  InSync'],
    ['with an escape sequence', 'gw\u001B[31m'],
    ['that turns the direction of writing', 'gw\u202Ewg'],
    ['with a space at an end', ' gw'],
  ])('%s is refused with a short reason', async (_, id) => {
    const { w, client } = await open();
    client.ask('clusters', { node: node(id) });
    const { code, details } = await client.end();
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(details).toContain('node.id must have 1 to 256 visible characters');
    expect(details.length).toBeLessThan(300);
    expect(details).not.toMatch(/\p{Cc}|\u202E/u);
    expect(w.publisher.progress().proxies).toEqual([]);
  });

  test.each(['x'.repeat(256), 'Gateway 1 (büro) 🚀'])('%j is taken', async (id) => {
    const { w, client } = await open();
    client.ask('clusters', { node: node(id) });
    await client.next();
    expect(w.proxy(id).id).toBe(id);
  });
});

test('a proxy more than there may be is refused with the limit, and comes in when another one has left', async () => {
  const w = await startXdsWorld({ maxProxies: 2 });
  ends.push(() => w.close());
  w.publishScene(scene({ clusters: { a: '1' } }));
  const connect = (id: string): XdsClient => {
    const connection = new XdsConnection(w.server.port);
    ends.push(() => connection.close());
    const client = connection.open('sotw');
    client.ask('clusters', { node: node(id) });
    return client;
  };
  const first = connect('gw-1');
  await first.next();
  await connect('gw-2').next();
  const { code, details } = await connect('gw-3').end();
  expect(code).toBe(status.RESOURCE_EXHAUSTED);
  expect(details).toBe(
    '2 proxies are connected here, and 2 is the most; connect to another replica, or run another controller for some of the services',
  );
  expect(w.publisher.progress().proxies.map(({ id }) => id)).toEqual(['gw-1', 'gw-2']);
  first.cancel();
  await eventually(() => w.publisher.progress().proxies.length === 1);
  await connect('gw-3').next();
});

test('metadata of any size is refused with a short reason', async () => {
  const { client } = await open();
  client.ask('clusters', {
    node: node('n1', { metadata: { switchyard: { services: 'x'.repeat(1_000_000) } } }),
  });
  const { code, details } = await client.end();
  expect(code).toBe(status.INVALID_ARGUMENT);
  expect(details).toContain('metadata.switchyard.services must be a list of names, not "xxx');
  expect(details.length).toBeLessThan(300);
});

test('the reason of a rejection is kept on one line of at most 4 KiB without control characters', async () => {
  const { w, client } = await open();
  client.ask('clusters', { node: node('n1') });
  const { nonce } = await client.next();
  const message = `\u001B[31mbad\nb  InSync ${'x'.repeat(100_000)}`;
  client.ask('clusters', { responseNonce: nonce, errorDetail: { code: 3, message } });
  const rejection = () => w.proxy('n1').types[0]?.rejection?.message;
  await eventually(() => rejection() !== undefined);
  expect(rejection()).toMatch(/^\uFFFD\[31mbad b {2}InSync x+…$/u);
  expect(rejection()?.length).toBe(4097);
});
