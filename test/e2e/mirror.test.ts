/**
 * Copies of default requests through a real Envoy: which requests are copied, where the copies go, what they carry, and
 * that nobody but the candidate notices them.
 */
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { describe, expect, test } from 'vitest';
import type { Behaviour, Echo, EchoServer } from '../support/echo.ts';
import { eventually } from '../support/eventually.ts';
import type { Gateway } from '../support/gateway.ts';
import { echo, gatewayOf, nobody, PIN, running, served } from '../support/gateway-world.ts';
import { rawHttp1 } from '../support/raw-http1.ts';
import type { RoutesFacts } from '../support/tables.ts';

const MARK = 'x-switchyard-mirror';

interface World {
  readonly gateway: Gateway;
  readonly v1: EchoServer;
  readonly v2: EchoServer;
}

/** A gateway where v1 is the primary and v2 gets the copies. */
async function world(
  mirror: Partial<NonNullable<RoutesFacts['mirror']>> = {},
  { behaviour = 'Answer', ...facts }: RoutesFacts & { behaviour?: Behaviour } = {},
): Promise<World> {
  const [v1, v2] = await Promise.all([echo('v1'), echo('v2', behaviour)]);
  const gateway = await gatewayOf({
    versions: { v1: { endpoints: [v1.address] }, v2: { endpoints: [v2.address] } },
    mirror: { version: 'v2', percent: 100, ...mirror },
    ...facts,
  });
  return { gateway, v1, v2 };
}

/** The paths that were copied, once the copy of a last request has arrived: one worker sends copies in their order. */
async function copiedPaths({ gateway, v2 }: World): Promise<readonly string[]> {
  await rawHttp1(gateway.port(), [], { path: '/last' });
  await eventually(() => v2.copies().some(({ path }) => path === '/last'), { what: 'the copy of the last' });
  return v2.copies().flatMap(({ path }) => (path === '/last' ? [] : [path]));
}

/** Sends so many requests over one HTTP/2 connection; the versions that answered. */
async function sendMany(gateway: Gateway, count: number): Promise<readonly string[]> {
  const session = http2(gateway);
  return Promise.all(
    Array.from({ length: count }, (_, index) => http2Get(session, { ':path': `/${index}` })),
  );
}

function http2(gateway: Gateway): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${gateway.port()}`);
  running.push({ stop: async () => session.destroy() });
  return session;
}

function http2Get(session: ClientHttp2Session, headers: OutgoingHttpHeaders): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':authority': 'manager.test', ...headers });
    let body = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      body += text;
    });
    stream.on('error', reject);
    stream.on('end', () => resolve(body.startsWith('{') ? (JSON.parse(body) as Echo).version : body));
    stream.end();
  });
}

describe('a copy', () => {
  test('is the request as the primary gets it, with a mark', async () => {
    const { gateway, v2 } = await world();
    const answer = await rawHttp1(gateway.port(), ['x-tenant-id: acme', 'x-own: kept'], {
      path: '/jobs?of=acme',
    });
    expect(served(answer)).toBe('v1');
    const original = JSON.parse(answer?.body ?? '') as Echo;
    const [copy] = await eventually(() => (v2.copies().length > 0 ? v2.copies() : undefined));
    expect(copy?.path).toBe('/jobs?of=acme');
    expect(copy?.headers).toMatchObject({ [MARK]: '1', 'x-own': 'kept', 'x-tenant-id': 'acme' });
    expect(copy?.headers[':authority'] ?? copy?.headers['host']).toBe('manager.test');
    expect(original.headers).not.toHaveProperty(MARK);
  });

  test('is made of the share that was asked for', async () => {
    const requests = 2_000;
    const { gateway, v2 } = await world({ percent: 25 });
    const answers = await sendMany(gateway, requests);
    expect(new Set(answers)).toEqual(new Set(['v1']));
    const counted = async () => gateway.envoy.stat('cluster.manager__v2__mirror__.upstream_rq_completed');
    await eventually(async () => (await counted()) === v2.copies().length && v2.copies().length > 0);
    // Five standard deviations of a binomial distribution on each side.
    const deviation = 5 * Math.sqrt(requests * 0.25 * 0.75);
    expect(v2.copies().length).toBeGreaterThan(requests * 0.25 - deviation);
    expect(v2.copies().length).toBeLessThan(requests * 0.25 + deviation);
    expect(v2.copies().filter(({ headers }) => headers[MARK] !== '1')).toEqual([]);
    expect(v2.requests()).toBe(v2.copies().length);
  });

  test('is made of listed methods only, and of no websocket', async () => {
    const all = await world({ methods: ['GET', 'DELETE'] });
    const port = all.gateway.port();
    for (const method of ['GET', 'POST', 'DELETE', 'PUT', 'get']) {
      await rawHttp1(port, ['content-length: 0'], { method, path: `/${method}` });
    }
    await rawHttp1(port, ['connection: Upgrade', 'upgrade: websocket'], { path: '/websocket' });
    expect(await copiedPaths(all)).toEqual(['/GET', '/DELETE']);
  });

  test('is made of gRPC calls by listed method, whatever the list of HTTP methods', async () => {
    const all = await world({ methods: ['GET', 'POST'], grpcMethods: ['/pipeline.v1.Tasks/Get'] });
    const session = http2(all.gateway);
    const call = (path: string, type: string) =>
      http2Get(session, { ':method': 'POST', ':path': path, 'content-type': type, te: 'trailers' });
    await call('/pipeline.v1.Tasks/Get', 'application/grpc+proto');
    await call('/pipeline.v1.Tasks/Lease', 'application/grpc');
    await call('/pipeline.v1.Tasks/Get/more', 'application/grpc');
    await call('/pipeline.v1.Tasks/Get', 'application/json');
    await call('/pipeline.v1.Tasks/Get?x', 'application/grpc');
    expect(await copiedPaths(all)).toEqual([
      '/pipeline.v1.Tasks/Get',
      '/pipeline.v1.Tasks/Get',
      '/pipeline.v1.Tasks/Get?x',
    ]);
    // The call of another protocol is a POST like any other.
    expect(all.v2.copies()[1]?.headers['content-type']).toBe('application/json');
  });

  test('is made of no request that was pinned, held, in the cohort or refused', async () => {
    const all = await world(
      {},
      {
        holds: { globex: 'v1' },
        cohort: { version: 'v2', tenants: ['acme'], headers: [{ name: 'x-beta', value: '1' }] },
      },
    );
    const outcomes = await Promise.all(
      [`${PIN}: v1`, `${PIN}: v2`, `${PIN}: v9`, 'x-tenant-id: globex', 'x-tenant-id: acme', 'x-beta: 1'].map(
        async (line) => served(await rawHttp1(all.gateway.port(), [line], { path: '/chosen' })),
      ),
    );
    expect(outcomes).toEqual(['v1', 'v2', 'status 409', 'v1', 'v2', 'v2']);
    expect(await copiedPaths(all)).toEqual([]);
  });

  test('counts in a cluster of its own, and not as a request of its version', async () => {
    const { gateway, v2 } = await world({}, { versions: {}, ...(await dotted()) });
    await sendMany(gateway, 20);
    await eventually(
      async () => (await gateway.envoy.stat('cluster.jobs.ci__1.8.3__mirror__.upstream_rq_completed')) === 20,
    );
    expect(v2.requests()).toBe(0);
    const lines = (await gateway.envoy.text('/stats/prometheus?usedonly')).split('\n');
    const counted = lines.filter((line) => line.startsWith('envoy_cluster_upstream_rq_xx{'));
    expect(counted.toSorted()).toEqual([
      'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="jobs.ci__1.8.3__mirror",service="jobs.ci",mirror="1.8.3"} 20',
      'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="jobs.ci__v1",service="jobs.ci",version="v1"} 20',
    ]);
  });
});

/** A service and a version with dots in their names. */
async function dotted(): Promise<RoutesFacts> {
  const [v1, candidate] = await Promise.all([echo('v1'), echo('1.8.3')]);
  return {
    service: 'jobs.ci',
    versions: { v1: { endpoints: [v1.address] }, '1.8.3': { endpoints: [candidate.address] } },
    defaultRoute: { kind: 'Single', version: 'v1' },
    mirror: { version: '1.8.3', percent: 100 },
  };
}

describe('a mark that a client sends itself', () => {
  test('is removed, wherever the request goes', async () => {
    const { gateway } = await world({ methods: [] });
    for (const pin of [[], [`${PIN}: v2`]]) {
      const answer = await rawHttp1(gateway.port(), [`${MARK}: 1`, 'X-Switchyard-Mirror: 1', ...pin]);
      expect((JSON.parse(answer?.body ?? '') as Echo).headers).not.toHaveProperty(MARK);
    }
  });

  test('does not stand beside the mark of a copy', async () => {
    const { gateway, v2 } = await world();
    const answer = await rawHttp1(gateway.port(), [`${MARK}: 0`]);
    expect((JSON.parse(answer?.body ?? '') as Echo).headers).not.toHaveProperty(MARK);
    const [copy] = await eventually(() => (v2.copies().length > 0 ? v2.copies() : undefined));
    expect(copy?.headers[MARK]).toBe('1');
  });
});

describe('a version that gets copies', () => {
  test('hurts nobody by cutting them', async () => {
    const { gateway, v2 } = await world({}, { behaviour: 'CutAfterHeaders' });
    expect(new Set(await sendMany(gateway, 200))).toEqual(new Set(['v1']));
    await eventually(() => v2.copies().length === 200);
  });

  test('hurts nobody by being away', async () => {
    const [v1, away] = [await echo('v1'), await nobody()];
    const gateway = await gatewayOf({
      versions: { v1: { endpoints: [v1.address] }, v2: { endpoints: [away] } },
      mirror: { version: 'v2', percent: 100 },
    });
    expect(new Set(await sendMany(gateway, 200))).toEqual(new Set(['v1']));
  });

  test('hurts nobody by never answering: copies beyond a limit are not made', async () => {
    const { gateway, v2 } = await world({}, { behaviour: 'Silent' });
    const answers = await sendMany(gateway, 1_500);
    expect(new Set(answers)).toEqual(new Set(['v1']));
    const count = async (name: string) => gateway.envoy.stat(`cluster.manager__v2__mirror__.${name}`);
    expect(await count('upstream_rq_active')).toBe(1_024);
    // The others count as failures of the candidate, which they are.
    expect(await count('upstream_rq_503')).toBe(1_500 - 1_024);
    await eventually(() => v2.copies().length === 1_024);
  });
});
