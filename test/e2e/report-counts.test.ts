/**
 * Requests of every kind through a real Envoy, counted twice: by the client that sent them, and from what the proxy
 * reported. The two must be equal, row by row, and a report of them says how sure it is.
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { RolloutReport } from '../../src/model/report.ts';
import { TRAFFIC_SPAN, type TrafficCount } from '../../src/model/traffic.ts';
import { actualWeight } from '../../src/report/actual-weight.ts';
import { buildReport, reportWindow } from '../../src/report/build.ts';
import { startEcho } from '../support/echo.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { ReportedWorld } from '../support/reported-world.ts';
import { aRollout } from '../support/rollouts.ts';
import { startSpecial } from '../support/special-instance.ts';
import { type RoutesFacts, serviceRoutes, table } from '../support/tables.ts';

const MANAGER = serviceName('manager');
const PIN = 'x-delegate-version';
const VERSION = 'x-switchyard-version';

const ends: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Rows of counts: `Default v1 Success` to a number. */
type Rows = Record<string, number>;

function add(rows: Rows, row: string, requests = 1): void {
  rows[row] = (rows[row] ?? 0) + requests;
}

function rowsOf(counts: readonly TrafficCount[]): Rows {
  const rows: Rows = {};
  for (const { route, version, result, requests } of counts)
    add(rows, [route, version ?? '-', result].join(' '), requests);
  return rows;
}

function sum(rows: Rows): number {
  return Object.values(rows).reduce((all, each) => all + each, 0);
}

/** The client: sends a request and says what it saw. */
async function send(
  session: ClientHttp2Session,
  request: { path?: string; method?: string; headers?: Record<string, string>; leaves?: boolean } = {},
): Promise<{ status: number; version: string; wasCut: boolean }> {
  const { path = '/', method = 'GET', headers = {}, leaves = false } = request;
  const stream = session.request({
    ':path': path,
    ':method': method,
    ':authority': 'manager.test',
    ...headers,
  });
  let [status, version, wasCut] = [0, '-', false];
  stream.on('response', (answer) => {
    status = Number(answer[':status']);
    version = String(answer[VERSION] ?? '-');
  });
  stream.on('error', () => {
    wasCut = !leaves;
  });
  stream.on('data', () => {
    if (leaves) stream.close(constants.NGHTTP2_CANCEL);
  });
  await new Promise((resolve) => stream.once('close', resolve));
  return { status, version, wasCut };
}

function client(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  ends.push(() => session.destroy());
  return session;
}

/** Two good versions, one that misbehaves, one whose instances are gone in half, one without any. */
async function world(facts: RoutesFacts = {}): Promise<{ world: ReportedWorld; port: number }> {
  const [v1, v2, gone] = [await startEcho('v1'), await startEcho('v2'), await startEcho('gone')];
  const special = await startSpecial();
  ends.push(
    () => Promise.all([v1.close(), v2.close()]),
    () => special.close(),
  );
  await gone.close();
  const port = await freePort();
  const routes = serviceRoutes({
    listeners: [{ port, domains: ['*'], accessLog: true }],
    versions: {
      v1: { endpoints: [v1.address] },
      v2: { endpoints: [v2.address] },
      special: { endpoints: [special.address] },
      halved: { endpoints: [v1.address, gone.address] },
      unready: {},
    },
    defaultRoute: { kind: 'Split', primary: 'v1', candidate: 'v2', weight: 25, salt: 'salt' },
    holds: { held: 'v1' },
    ...facts,
  });
  const reported = await ReportedWorld.start({ service: MANAGER, table: table(routes) });
  ends.push(() => reported.close());
  return { world: reported, port };
}

async function countsOf({ receiver }: ReportedWorld): Promise<readonly TrafficCount[]> {
  return receiver.counts({ service: MANAGER, from: instant(0), to: instant(Number.MAX_SAFE_INTEGER) });
}

async function reportOf(reported: ReportedWorld, startedAt: number, endedAt: number): Promise<RolloutReport> {
  const rollout = aRollout({
    version: versionName('v2'),
    baseline: versionName('v1'),
    state: 'Succeeded',
    startedAt: instant(startedAt),
    endedAt: instant(endedAt),
  });
  const window = reportWindow(rollout, instant(endedAt));
  return buildReport({
    rollout,
    events: [],
    measurements: [],
    counts: await reported.receiver.counts({ service: MANAGER, ...window }),
    coverage: await reported.receiver.coverage({ from: instant(0), to: window.to }),
    isReported: true,
    blindSpots: [],
    now: instant(Date.now()),
  });
}

test('what the proxy reported is what the client saw: default, pinned, held, refused, failed, retried, cut, left, copied', async () => {
  const { world: reported, port } = await world({
    mirror: { version: 'v2', percent: 100, methods: ['DELETE'] },
  });
  const envoy = await reported.envoy('gateway-1');
  // A window that begins with a span has no request of before.
  const startedAt = Math.ceil(Date.now() / TRAFFIC_SPAN) * TRAFFIC_SPAN;
  await eventually(() => Date.now() >= startedAt);
  const session = client(port);
  const seen: Rows = {};

  for (let index = 0; index < 200; index += 1) {
    const { status, version } = await send(session, { headers: { 'x-tenant-id': `tenant-${index}` } });
    expect(status).toBe(200);
    add(seen, `Default ${version} Success`);
  }
  for (const version of ['v1', 'v2']) {
    for (let index = 0; index < 20; index += 1) {
      const answer = await send(session, { headers: { [PIN]: version } });
      expect(answer).toMatchObject({ status: 200, version });
      add(seen, `Pin ${version} Success`);
    }
  }
  for (let index = 0; index < 7; index += 1) {
    expect((await send(session, { headers: { 'x-tenant-id': 'held' } })).version).toBe('v1');
    add(seen, 'Hold v1 Success');
    expect((await send(session, { headers: { [PIN]: 'v9' } })).status).toBe(409);
    add(seen, 'Refused - Refused');
    expect((await send(session, { headers: { [PIN]: 'unready' } })).status).toBe(503);
    add(seen, 'Pin unready Unavailable');
  }
  for (const [path, result] of [
    ['/status/404', 'ClientError'],
    ['/status/500', 'ServerError'],
  ] as const) {
    await send(session, { path, headers: { [PIN]: 'special' } });
    add(seen, `Pin special ${result}`);
  }
  for (let index = 0; index < 3; index += 1) {
    const cut = await send(session, { path: '/cut', headers: { [PIN]: 'special' } });
    expect(cut).toMatchObject({ status: 200, wasCut: true });
    add(seen, 'Pin special Cut');
    await send(session, { path: '/stream', headers: { [PIN]: 'special' }, leaves: true });
    add(seen, 'Pin special ClientGone');
  }
  for (let index = 0; index < 5; index += 1) {
    const { version } = await send(session, {
      method: 'DELETE',
      headers: { 'x-tenant-id': `copied-${index}` },
    });
    add(seen, `Default ${version} Success`);
    add(seen, 'Mirror v2 Unknown');
  }
  for (let index = 0; index < 8; index += 1) {
    expect((await send(session, { headers: { [PIN]: 'halved' } })).status).toBe(200);
    add(seen, 'Pin halved Success');
  }
  const endedAt = Date.now();

  await eventually(async () => expect(rowsOf(await countsOf(reported))).toEqual(seen) ?? true);
  const clients = sum(seen) - (seen['Mirror v2 Unknown'] ?? 0);
  expect(await envoy.stat('access_logs.grpc_access_log.logs_written')).toBeGreaterThanOrEqual(clients);
  expect(await envoy.stat('access_logs.grpc_access_log.logs_dropped')).toBe(0);
  expect(reported.receiver.totals()).toMatchObject({ counted: clients, lost: 0 });

  const report = await eventually(
    async () => {
      const made = await reportOf(reported, startedAt, endedAt);
      return made.requests.certainty.kind === 'Proved' ? made : undefined;
    },
    { what: 'a report that is proved', within: 20_000, every: 200 },
  );
  expect(report.requests).toEqual({ value: clients, certainty: { kind: 'Proved' } });
  expect(report.impacted.value).toBe(7 + 3);
  expect(report.cutStreams.value).toBe(3);
  expect(report.refusals.value).toBe(7);
  // Each second attempt met the instance that is gone; Envoy tells how often it tried again.
  const retries = await envoy.stats('^cluster\\..*upstream_rq_retry$');
  expect(report.retries.value).toBe([...retries.values()].reduce((all, each) => all + each, 0));
  expect(report.retries.value).toBeGreaterThan(0);
  const weight = actualWeight(await countsOf(reported), {
    candidate: versionName('v2'),
    now: instant(endedAt),
  });
  expect(weight?.requests).toBe(205);
  expect(weight?.percent).toBeCloseTo((100 * (seen['Default v2 Success'] ?? 0)) / 205, 6);
  expect(reported.receiver.reporters()).toEqual([
    { proxy: 'gateway-1', since: expect.any(Number), entriesLost: 0 },
  ]);
  expect(reported.faults).toEqual([]);
}, 60_000);

test('a stream that stays open for many reports counts once, when it ends', async () => {
  const { world: reported, port } = await world();
  await reported.envoy('gateway-1');
  const session = client(port);
  const stream = session.request({ ':path': '/stream', ':authority': 'manager.test', [PIN]: 'special' });
  stream.resume();
  stream.on('error', () => undefined);
  // Open streams are reported three times a second here; none of these is a request that ended.
  await eventually(() => reported.receiver.totals().notOurs >= 3);
  expect(await countsOf(reported)).toEqual([]);
  stream.close(constants.NGHTTP2_CANCEL);
  await eventually(async () => sum(rowsOf(await countsOf(reported))) > 0);
  expect(rowsOf(await countsOf(reported))).toEqual({ 'Pin special ClientGone': 1 });
}, 30_000);

test('while the controller is away requests go on, and the report says which time nobody counted', async () => {
  const { world: reported, port } = await world();
  await reported.envoy('gateway-1');
  const session = client(port);
  const ask = async (requests: number): Promise<void> => {
    for (let index = 0; index < requests; index += 1) expect((await send(session)).status).toBe(200);
  };
  const startedAt = Date.now();
  await ask(50);
  await eventually(async () => sum(rowsOf(await countsOf(reported))) === 50);
  const awayFrom = Date.now();
  await reported.goAway();
  await ask(20);
  await reported.listen();
  const backAt = Date.now();
  // The proxy finds its controller again, and what it reports from then on is counted on top of what was.
  await eventually(
    async () => {
      await ask(1);
      return reported.receiver.totals().counted > 0;
    },
    { within: 20_000, every: 50 },
  );
  const before = reported.receiver.totals().counted;
  await ask(30);
  await eventually(() => reported.receiver.totals().counted >= before + 30);
  const endedAt = Date.now();
  const counted = sum(rowsOf(await countsOf(reported)));
  expect(counted).toBeGreaterThanOrEqual(50 + before + 30);
  const { requests, summary } = await reportOf(reported, startedAt, endedAt);
  expect(requests.value).toBe(counted);
  expect(requests.certainty.kind).toBe('Sampled');
  const why = requests.certainty.kind === 'Sampled' ? requests.certainty.why : '';
  const [, from = '', to = from] =
    /nobody counted (?:at|from) (\S+) UTC(?: to (\S+) UTC)?, because no controller listened/.exec(why) ?? [];
  const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);
  expect(from <= clock(awayFrom) && to >= clock(backAt)).toBe(true);
  expect(summary).toContain('as far as is known');
}, 60_000);

test('a proxy that dies takes its last reports with it, and the report says so', async () => {
  const { world: reported, port } = await world();
  const envoy = await reported.envoy('gateway-1');
  const startedAt = Date.now();
  const session = client(port);
  for (let index = 0; index < 10; index += 1) await send(session);
  await eventually(async () => sum(rowsOf(await countsOf(reported))) === 10);
  envoy.signal('SIGKILL');
  await eventually(() => reported.receiver.reporters().length === 0);
  const { requests } = await reportOf(reported, startedAt, Date.now());
  expect(requests.certainty).toEqual({
    kind: 'Sampled',
    why: expect.stringMatching(/reports of gateway-1 may be missing .*: its connection broke/),
  });
}, 30_000);
