/**
 * The gateway of our manifests, with its own bootstrap, arguments and preStop script, before a real control plane: how it is
 * found, what its port for probes shows, and that its end breaks no request that has the time to end.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type EchoServer, startEcho } from '../support/echo.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type GatewayPod, startGatewayPod } from '../support/kubernetes/gateway-pod.ts';
import { RawConnection, rawHttp1, requestBytes } from '../support/raw-http1.ts';
import { serviceRoutes, table } from '../support/tables.ts';
import { startXdsWorld, type XdsWorld } from '../support/xds-world.ts';

const NAME = 'switchyard-gateway-7d9c-x2x4z';
const UPGRADE = ['connection: Upgrade', 'upgrade: websocket'];

let world: XdsWorld;
let echo: EchoServer;
let pod: GatewayPod;
let port: number;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-gateway-'));
  echo = await startEcho('v1');
  world = await startXdsWorld();
  pod = await startGatewayPod({ folder, name: NAME, xdsPort: world.server.port, drainTime: 1 });
  onTestFinished(async () => {
    await pod.stop();
    await world.close();
    await echo.close();
    await rm(folder, { recursive: true });
  });
  port = await freePort();
});

/** Publishes a service on the gateway's listener, and waits until it answers there. */
async function serve(): Promise<void> {
  const versions = { v1: { endpoints: [echo.address] } };
  world.publish(table(serviceRoutes({ listeners: [{ port }], versions })));
  await eventually(async () => (await rawHttp1(port, []))?.status === 200, { within: 30_000 });
}

const isReady = async (): Promise<boolean> => (await pod.stats('/ready'))?.status === 200;

test('it is not ready before its controller has answered, and is known there by the name of its Pod', async () => {
  await eventually(() => pod.isAlive());
  expect(await isReady()).toBe(false);
  await serve();
  await eventually(isReady);
  expect(world.proxy(NAME).id).toBe(NAME);
});

test('its port for probes shows two pages of the admin interface, and takes no orders', async () => {
  await serve();
  await eventually(isReady);
  const lines = (await pod.stats('/stats/prometheus'))?.text.split('\n') ?? [];
  const requests = lines.filter((line) => line.startsWith('envoy_cluster_upstream_rq_total{'));
  expect(
    requests.filter((line) => /service="manager".*version="v1"|version="v1".*service="manager"/.test(line)),
  ).not.toEqual([]);
  for (const path of ['/config_dump', '/', '/stats', '/ready/../config_dump']) {
    expect([path, (await pod.stats(path))?.status]).toEqual([path, 404]);
  }
  for (const path of ['/quitquitquit', '/healthcheck/fail', '/ready']) {
    expect([path, (await pod.stats(path, 'POST'))?.status]).toEqual([path, 404]);
  }
  expect(await isReady()).toBe(true);
});

test('its end waits for an open stream, sends everybody else away, and comes when the last has gone', async () => {
  await serve();
  await eventually(isReady);
  const stream = await RawConnection.open(port);
  stream.write(requestBytes({ path: '/', host: 'manager.test', lines: UPGRADE }));
  expect((await stream.response())?.status).toBe(101);
  const kept = await RawConnection.open(port);
  const http2 = connectHttp2(`http://127.0.0.1:${port}`);
  const goneAway = new Promise((resolve) => http2.once('goaway', resolve));
  http2.on('error', () => undefined);
  const http2Status = (): Promise<unknown> =>
    new Promise((resolve) => {
      http2
        .request({ ':path': '/', ':authority': 'manager.test' })
        .once('response', (headers) => resolve(headers[':status']))
        .end();
    });
  expect(await http2Status()).toBe(200);

  const drain = await pod.preStop({ drainSeconds: 60 });
  await eventually(async () => !(await isReady()));
  // Whoever has a connection is served, and asked to go.
  await eventually(async () => {
    kept.write(requestBytes({ path: '/', host: 'manager.test', lines: [] }));
    const answer = await kept.response();
    expect(answer?.status).toBe(200);
    return answer?.headers.get('connection') === 'close';
  });
  kept.close();
  expect(await http2Status()).toBe(200);
  await goneAway;
  http2.destroy();
  // Who comes late is served, and asked to go.
  expect((await rawHttp1(port, []))?.headers.get('connection')).toBe('close');
  stream.write(Buffer.from('still here'));
  expect(drain.running).toBe(true);
  stream.close();
  expect(await drain.ended).toBe('code 0');
  expect(pod.drainLog()).toMatch(/^drained after \d+ s, 0 connections left$/m);
  expect(pod.envoy.running).toBe(true);
});

test('a stream that does not end holds it up no longer than is allowed', async () => {
  await serve();
  await eventually(isReady);
  const stream = await RawConnection.open(port);
  onTestFinished(() => stream.close());
  stream.write(requestBytes({ path: '/', host: 'manager.test', lines: UPGRADE }));
  expect((await stream.response())?.status).toBe(101);
  const drain = await pod.preStop({ drainSeconds: 3 });
  await eventually(async () => !(await isReady()));
  expect(drain.running).toBe(true);
  expect(await drain.ended).toBe('code 0');
  expect(pod.drainLog()).toMatch(/^drained after \d+ s, 1 connections left$/m);
});

test('an Envoy whose main thread stands still is found out, and one that is gone is not waited for', async () => {
  await eventually(() => pod.isAlive());
  pod.envoy.signal('SIGSTOP');
  expect(await pod.isAlive()).toBe(false);
  pod.envoy.signal('SIGCONT');
  await pod.stop();
  expect(await pod.isAlive()).toBe(false);
  const drain = await pod.preStop({ drainSeconds: 60 });
  expect(await drain.ended).toBe('code 0');
});
