/**
 * What a real Envoy tells the controller of each request, read by src/xds/translate/logged-request.ts: the service, the
 * version, what chose it, how it ended and how often it was tried, for requests of every kind.
 */
import { connect, constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMessage } from '../../src/adapters/access-log/messages.ts';
import { accessLogService } from '../../src/adapters/access-log/service.ts';
import { bootstrap } from '../../src/xds/bootstrap.ts';
import { translate } from '../../src/xds/translate/index.ts';
import { type LoggedRequest, readEntry } from '../../src/xds/translate/logged-request.ts';
import { startEcho } from '../support/echo.ts';
import { startEnvoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { reportingSoon } from '../support/reporting-soon.ts';
import { startSpecial } from '../support/special-instance.ts';
import { serviceRoutes, table } from '../support/tables.ts';
import { startXdsWorld } from '../support/xds-world.ts';

const PIN = 'x-delegate-version';
const { NGHTTP2_CANCEL } = constants;

/** What the proxy reported, by stream, and where it listens. */
const reported = new Map<string, LoggedRequest[]>();
let port: number;
/** Publishes the same services on another port: a change of the listener. */
let moveListener: () => Promise<void>;
const ends: (() => Promise<unknown> | void)[] = [];

beforeAll(async () => {
  const log = accessLogService(() => ({
    message: (bytes) => {
      for (const request of readMessage(bytes).entries.map(readEntry)) {
        if (request === undefined) continue;
        reported.set(request.streamId, [...(reported.get(request.streamId) ?? []), request]);
      }
    },
    ended: () => undefined,
  }));
  const xds = await startXdsWorld({
    server: { services: [log] },
    translate: (routes) => reportingSoon(translate(routes)),
  });
  ends.push(() => xds.close());
  const [v1, v2, gone] = await Promise.all(['v1', 'v2', 'gone'].map((version) => startEcho(version)));
  if (v1 === undefined || v2 === undefined || gone === undefined)
    throw new Error('three instances were asked for');
  ends.push(() => Promise.all([v1.close(), v2.close()]));
  await gone.close();
  const failing = await startSpecial();
  ends.push(() => failing.close());
  const tableAt = (at: number) => {
    const listeners = (domain: string) => [{ port: at, domains: [domain], accessLog: true }];
    return table(
      serviceRoutes({
        service: 'jobs.ci',
        listeners: listeners('jobs.test'),
        versions: {
          v1: { endpoints: [v1.address] },
          'v2.0': { endpoints: [v2.address] },
          special: { endpoints: [failing.address] },
          unready: {},
          unreachable: { endpoints: [gone.address] },
          halved: { endpoints: [v1.address, gone.address] },
        },
        defaultRoute: { kind: 'Single', version: 'v1' },
        holds: { globex: 'v1' },
        cohort: { version: 'v2.0', tenants: ['acme'], headers: [{ name: 'x-beta', value: '1' }] },
        mirror: { version: 'v2.0', percent: 100, methods: ['DELETE'] },
      }),
      serviceRoutes({
        service: 'unready',
        listeners: listeners('unready.test'),
        versions: { v1: {}, v2: { endpoints: [v2.address] } },
        mirror: { version: 'v2', percent: 100, methods: ['GET'] },
      }),
      serviceRoutes({
        service: 'split',
        listeners: listeners('split.test'),
        versions: { v1: {}, v2: {} },
        defaultRoute: { kind: 'Split', primary: 'v1', candidate: 'v2', weight: 99, salt: 'salt' },
      }),
      serviceRoutes({
        service: 'nothing',
        listeners: listeners('nothing.test'),
        versions: {},
        defaultRoute: { kind: 'Unavailable', reason: 'no version has been ready yet' },
      }),
    );
  };
  port = await freePort();
  xds.publish(tableAt(port));
  moveListener = async () => void xds.publish(tableAt(await freePort()));
  const envoy = await startEnvoy(
    bootstrap({
      nodeId: 'gateway-1',
      nodeCluster: 'gateways',
      protocol: 'sotw',
      controller: { host: '127.0.0.1', port: xds.server.port },
      listeners: [],
      services: [],
      admin: { host: '127.0.0.1', port: 0 },
      accessLog: true,
      withoutController: 'FailClosed',
    }),
    ['--drain-time-s', '1'],
  );
  ends.push(() => envoy.stop());
  await eventually(async () => (await envoy.text('/ready')).startsWith('LIVE'), { what: 'a live Envoy' });
}, 30_000);

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

interface Sent {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client goes away as soon as the answer begins. */
  readonly leaves?: boolean;
}

/** Sends a request, and gives what the proxy reported of it last. */
async function logged({
  method = 'GET',
  host = 'jobs.test',
  path = '/',
  headers = {},
  leaves,
}: Sent): Promise<LoggedRequest> {
  const before = new Set(reported.keys());
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const stream = session.request({ ':method': method, ':authority': host, ':path': path, ...headers });
  stream.on('error', () => undefined);
  stream.resume();
  if (leaves === true) stream.once('data', () => stream.close(NGHTTP2_CANCEL));
  await new Promise((resolve) => stream.once('close', resolve));
  session.destroy();
  return eventually(
    () =>
      [...reported]
        .filter(([id]) => !before.has(id))
        .map(([, entries]) => entries.at(-1))
        .find((entry) => entry?.kind === 'Ended'),
    { what: 'an entry' },
  );
}

const pinned = (version: string): Sent => ({ headers: { [PIN]: version } });
const special = (path: string): Sent => ({ ...pinned('special'), path });
const tenant = (name: string): Sent => ({ headers: { 'x-tenant-id': name } });
const grpc = (version: string): Sent => ({
  method: 'POST',
  headers: { [PIN]: version, 'content-type': 'application/grpc' },
});

describe('an access log entry tells', () => {
  const none = undefined;
  const ours = { service: 'jobs.ci', kind: 'Ended', retries: 0, copiedTo: none };
  const rows: readonly (readonly [what: string, sent: Sent, told: object])[] = [
    ['default traffic', {}, { ...ours, version: 'v1', route: 'Default', result: 'Success' }],
    ['a pin', pinned('v2.0'), { ...ours, version: 'v2.0', route: 'Pin', result: 'Success' }],
    ['a hold', tenant('globex'), { ...ours, version: 'v1', route: 'Hold', result: 'Success' }],
    ['a tenant of the cohort', tenant('acme'), { ...ours, version: 'v2.0', route: 'Cohort' }],
    ['a header of the cohort', { headers: { 'x-beta': '1' } }, { ...ours, version: 'v2.0', route: 'Cohort' }],
    ['a copied request', { method: 'DELETE' }, { version: 'v1', route: 'Default', copiedTo: 'v2.0' }],
    ['a refusal', pinned('v9'), { ...ours, version: none, route: 'Refused', result: 'Refused' }],
    ['a refusal over gRPC', grpc('v9'), { ...ours, version: none, route: 'Refused', result: 'Refused' }],
    [
      'a version without an endpoint',
      pinned('unready'),
      { version: 'unready', route: 'Pin', result: 'Unavailable' },
    ],
    ['the same over gRPC', grpc('unready'), { version: 'unready', result: 'Unavailable' }],
    [
      'an instance that cannot be reached',
      pinned('unreachable'),
      { version: 'unreachable', result: 'Unavailable', retries: 2 },
    ],
    [
      'no primary',
      { host: 'nothing.test' },
      { service: 'nothing', version: none, route: 'Default', result: 'Unavailable' },
    ],
    [
      'no copy where the request itself finds no endpoint',
      { host: 'unready.test' },
      { service: 'unready', version: 'v1', copiedTo: none, result: 'Unavailable' },
    ],
    [
      'a side of a split without an endpoint',
      { host: 'split.test' },
      { service: 'split', version: 'v2', route: 'Default', result: 'Unavailable' },
    ],
    ['a status that blames the client', special('/status/404'), { result: 'ClientError' }],
    ['a status that blames the instance', special('/status/500'), { result: 'ServerError' }],
    ['a gRPC call that went well', special('/grpc/0'), { result: 'Success' }],
    ['a gRPC status that blames the instance', special('/grpc/13'), { result: 'ServerError' }],
    ['a gRPC status that blames the client', special('/grpc/5'), { result: 'ClientError' }],
    ['a gRPC status without messages', special('/headers-only/14'), { result: 'ServerError' }],
    ['an answer that was cut', special('/cut'), { version: 'special', result: 'Cut' }],
    ['an answer that never began', special('/reset'), { version: 'special', result: 'Cut' }],
    [
      'a client that went away',
      { ...special('/stream'), leaves: true },
      { version: 'special', result: 'ClientGone' },
    ],
  ];
  test.each(rows)('%s', async (_what, sent, told) => {
    expect({ version: none, copiedTo: none, ...(await logged(sent)) }).toMatchObject(told);
  });

  test('a retry that another instance took', async () => {
    const requests: LoggedRequest[] = [];
    // Endpoints take turns.
    for (let count = 0; count < 4; count += 1) requests.push(await logged(pinned('halved')));
    expect(new Set(requests.map(({ result }) => result))).toEqual(new Set(['Success']));
    expect(requests.some(({ retries }) => retries > 0)).toBe(true);
  });
});

/** Opens a stream that does not end by itself; its id, once it is reported as open. */
async function openStream(): Promise<{ readonly id: string; readonly end: () => void }> {
  const before = new Set(reported.keys());
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const stream = session.request({ ':path': '/stream', ':authority': 'jobs.test', [PIN]: 'special' });
  stream.on('error', () => undefined);
  stream.resume();
  ends.push(() => session.destroy());
  const [id] = await eventually(() =>
    [...reported].find(([each, { length }]) => !before.has(each) && length >= 2),
  );
  return { id, end: () => stream.close(NGHTTP2_CANCEL) };
}

test('a stream that stays open is reported as such, and once when it ends', async () => {
  const { id, end } = await openStream();
  expect(new Set(reported.get(id)?.map(({ kind }) => kind))).toEqual(new Set(['Open']));
  end();
  await eventually(() => reported.get(id)?.at(-1)?.kind === 'Ended', { what: 'the end' });
  expect(reported.get(id)?.filter(({ kind }) => kind === 'Ended')).toHaveLength(1);
});

// The last test: afterwards nothing listens on the port.
test('a stream that a change of its listener cuts is no client that went away', async () => {
  const { id } = await openStream();
  await moveListener();
  const last = () => reported.get(id)?.at(-1);
  await eventually(() => last()?.kind === 'Ended', { what: 'the end', within: 20_000 });
  expect(last()?.result).toBe('Cut');
}, 30_000);
