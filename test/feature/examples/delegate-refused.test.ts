// A delegate and the gateway's own answers: what it sends to be routed by, and what it makes of a version that is not active.
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { ExampleSite } from '../../support/workflow/example-site.ts';

/** What each request for a stream was routed by. */
let asked: { version: unknown; pinned: unknown; tenant: unknown; box: unknown }[];
/** What the gateway answers, as Envoy would: a gRPC status in the headers. */
let answer: Readonly<Record<string, string>>;
let gateway: Http2Server;
let site: ExampleSite;
beforeEach(async () => {
  asked = [];
  site = await ExampleSite.open();
  gateway = createServer();
  gateway.on('stream', (stream: ServerHttp2Stream, headers) => {
    asked.push({
      version: headers['x-delegate-version'],
      pinned: headers['x-delegate-pinned'],
      tenant: headers['x-tenant-id'],
      box: headers['x-delegate-box'],
    });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...answer }, { endStream: true });
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await site.close();
  await new Promise((resolve) => gateway.close(resolve));
});

const portOf = () => (gateway.address() as AddressInfo).port;

const NOT_ACTIVE = {
  'grpc-status': '9',
  'grpc-message': 'v1 is not active',
  'x-switchyard-code': 'VERSION_NOT_ACTIVE',
  'x-switchyard-active-versions': 'v2,v3',
};

describe('a delegate', () => {
  test('pins its version with the marker that a pin was meant, and stops asking when the version is not active', async () => {
    answer = NOT_ACTIVE;
    const delegate = await site.delegate({ port: portOf(), box: 'box-1', tenant: 'acme' });
    await eventually(() => delegate.health().versionNotActive);
    expect(delegate.health()).toEqual({
      ready: false,
      connected: false,
      openTasks: 0,
      versionNotActive: true,
      reason: 'v1 is not active (active: v2,v3)',
    });
    // Longer than the longest first wait after a stream that was merely lost.
    await sleep(1_200);
    expect(asked).toEqual([{ version: 'v1', pinned: 'true', tenant: 'acme', box: 'box-1' }]);
  });

  test('asks again after its long pause, since a version may be made active again', async () => {
    answer = NOT_ACTIVE;
    await site.delegate({ port: portOf(), box: 'box-1', askAgainAfter: 200 });
    expect(await eventually(() => asked.length >= 2)).toBe(true);
  });

  test('goes on asking where no instance is ready, or the network is gone', async () => {
    answer = { 'grpc-status': '14', 'x-switchyard-code': 'NO_READY_ENDPOINT' };
    const delegate = await site.delegate({ port: portOf(), box: 'box-1' });
    await eventually(() => asked.length >= 3);
    expect(delegate.health()).toMatchObject({ versionNotActive: false, connected: false });
  });

  test('takes no other refusal for that: a manager that refuses its hello is asked again', async () => {
    answer = { 'grpc-status': '9', 'grpc-message': 'this is a manager of v2' };
    const delegate = await site.delegate({ port: portOf(), box: 'box-1' });
    await eventually(() => asked.length >= 2);
    expect(delegate.health()).toMatchObject({ versionNotActive: false });
  });

  test('that drains ends although nobody can be reached, when it has nothing open', async () => {
    answer = NOT_ACTIVE;
    const delegate = await site.delegate({ port: portOf(), box: 'box-1' });
    await eventually(() => delegate.health().versionNotActive);
    delegate.drain();
    expect(await delegate.ended).toBeUndefined();
  });
});
