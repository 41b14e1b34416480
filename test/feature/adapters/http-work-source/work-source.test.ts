/** Open work over HTTP: counted when every instance answers as it should, unknown otherwise, and never zero by default. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttpWorkSource } from '../../../../src/adapters/http-work-source/work-source.ts';
import type { Instance } from '../../../../src/model/instance.ts';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import type { DrainSource } from '../../../../src/model/spec.ts';

const source: DrainSource = { kind: 'http', fencePath: '/drain', openWorkPath: '/work' };
const whose = { service: serviceName('manager'), version: versionName('v1'), peers: [] };
const never = new AbortController().signal;

/** An instance whose HTTP requests `listener` answers. */
async function startInstance(id: string, listener: RequestListener): Promise<Instance> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return instanceAt(id, (server.address() as AddressInfo).port);
}

function instanceAt(id: string, port: number): Instance {
  return {
    id,
    service: serviceName('manager'),
    version: versionName('v1'),
    address: { host: '127.0.0.1', port },
    state: 'Ready',
    reason: 'a test',
    since: instant(1),
    restarts: 0,
  };
}

/** An instance with a port on which nobody listens any more. */
async function goneInstance(id: string): Promise<Instance> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return instanceAt(id, port);
}

function answering(body: unknown, status = 200): RequestListener {
  return (_, response) => {
    response.writeHead(status);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

const idle = { asOf: '2026-08-01T10:00:00Z', total: 0, open: [] };

describe('a count', () => {
  test('adds up what all instances say, as of the oldest answer', async () => {
    const since = '2026-08-01T09:00:00Z';
    const one = await startInstance(
      'manager-1',
      answering({ ...idle, total: 12, open: [{ kind: 'stream', id: 's-1', since }] }),
    );
    const two = await startInstance(
      'manager-2',
      answering({ asOf: '2026-08-01T09:59:00Z', total: 1, open: [{ kind: 'request', id: 'r-1' }] }),
    );
    const count = await createHttpWorkSource().count({
      ...whose,
      source,
      instances: [one, two],
      signal: never,
    });
    expect(count).toEqual({
      kind: 'counted',
      certificate: 'observed',
      asOf: Date.parse('2026-08-01T09:59:00Z'),
      total: 13,
      open: [
        { kind: 'stream', id: 's-1', instance: 'manager-1', since: Date.parse(since) },
        { kind: 'request', id: 'r-1', instance: 'manager-2' },
      ],
    });
  });

  test('is zero when every instance says so', async () => {
    const one = await startInstance('manager-1', answering({ ...idle, version: 'v1' }));
    const count = await createHttpWorkSource().count({ ...whose, source, instances: [one], signal: never });
    expect(count).toMatchObject({ kind: 'counted', total: 0, open: [] });
  });

  test.each<[string, RequestListener, string]>([
    ['another status', answering(idle, 500), 'GET /work answered status 500'],
    ['a redirect', answering('', 302), 'GET /work answered status 302'],
    ['no JSON', answering('<html>'), 'its answer is not JSON: "<html>"'],
    ['an empty answer', answering(''), 'its answer is not JSON: ""'],
    [
      'no total',
      answering({ asOf: idle.asOf, open: [] }),
      'total is absent where a whole number of at least 0 belongs',
    ],
    ['a negative total', answering({ ...idle, total: -1 }), 'total is -1 where'],
    ['null as total', answering({ ...idle, total: null }), 'total is null where'],
    ['no time', answering({ ...idle, asOf: 'now' }), 'asOf is "now" where a valid value (ISO 8601'],
    [
      'fewer than it lists',
      answering({ ...idle, open: [{ kind: 'stream', id: '1' }] }),
      'total is 0, but 1 are listed as open',
    ],
    [
      'another version',
      answering({ ...idle, version: 'v2' }),
      'its address is answered by version v2, not v1',
    ],
    ['too long an answer', answering('x'.repeat(5000)), 'its answer is longer than 4096 bytes'],
    ['an answer without end', (_, response) => response.write('{'), 'no answer within 300 ms'],
    ['no answer', () => {}, 'no answer within 300 ms'],
    ['a broken connection', (request) => request.socket.destroy(), 'socket hang up'],
  ])('is unknown when one instance gives %s', async (_, listener, reason) => {
    const good = await startInstance('manager-1', answering(idle));
    const bad = await startInstance('manager-2', listener);
    const workSource = createHttpWorkSource({ timeout: 300, maxBytes: 4096 });
    const count = await workSource.count({ ...whose, source, instances: [good, bad], signal: never });
    expect(count).toEqual({
      kind: 'unknown',
      reason: expect.stringContaining(`manager-2 at 127.0.0.1:${bad.address.port}: ${reason}`),
    });
  });

  test('is unknown when an instance is gone, when there is none, and when the spec names no source', async () => {
    const workSource = createHttpWorkSource();
    const gone = await goneInstance('manager-1');
    const kinds = await Promise.all([
      workSource.count({ ...whose, source, instances: [gone], signal: never }),
      workSource.count({ ...whose, source, instances: [], signal: never }),
      workSource.count({ ...whose, source: { kind: 'none' }, instances: [gone], signal: never }),
    ]);
    expect(kinds).toEqual([
      { kind: 'unknown', reason: expect.stringContaining('ECONNREFUSED') },
      { kind: 'unknown', reason: expect.stringContaining('no instance of the version is known') },
      { kind: 'unknown', reason: expect.stringContaining('drain.source') },
    ]);
  });

  test('ends with its signal, and says so', async () => {
    const abort = new AbortController();
    const silent = await startInstance('manager-1', () => abort.abort());
    const count = await createHttpWorkSource().count({
      ...whose,
      source,
      instances: [silent],
      signal: abort.signal,
    });
    expect(count).toEqual({ kind: 'unknown', reason: expect.stringContaining('the round was ended') });
  });

  test('names the first instances that failed and counts the others', async () => {
    const gone = await goneInstance('manager-x');
    const instances = Array.from({ length: 9 }, (_, index) => ({ ...gone, id: `manager-${index}` }));
    const count = await createHttpWorkSource().count({ ...whose, source, instances, signal: never });
    expect(count).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(/^manager-0 .*manager-4 .*; and 4 more$/),
    });
  });

  test('asks no more instances at a time than it may', async () => {
    let now = 0;
    let most = 0;
    const instance = await startInstance('manager-1', (_, response) => {
      now += 1;
      most = Math.max(most, now);
      setImmediate(() => {
        now -= 1;
        response.end(JSON.stringify({ ...idle, total: 1 }));
      });
    });
    const instances = Array.from({ length: 12 }, () => instance);
    const count = await createHttpWorkSource({ concurrency: 3 }).count({
      ...whose,
      source,
      instances,
      signal: never,
    });
    expect(count).toMatchObject({ kind: 'counted', total: 12 });
    expect(most).toBeLessThanOrEqual(3);
  });
});

describe('a fence', () => {
  test('is posted to every instance, and lifted with DELETE', async () => {
    const calls: string[] = [];
    const record: RequestListener = (request, response) => {
      calls.push(`${request.method} ${request.url}`);
      response.end();
    };
    const instances = [await startInstance('manager-1', record), await startInstance('manager-2', record)];
    const workSource = createHttpWorkSource();
    expect(await workSource.fence({ ...whose, source, instances, signal: never })).toEqual({
      kind: 'confirmed',
    });
    expect(calls).toEqual(['POST /drain', 'POST /drain']);
    expect(await workSource.lift({ ...whose, source, instances, signal: never })).toEqual({
      kind: 'confirmed',
    });
    expect(calls.slice(2)).toEqual(['DELETE /drain', 'DELETE /drain']);
  });

  test('is not confirmed while one instance refuses or is gone; all of them are named', async () => {
    const instances = [
      await startInstance('manager-1', answering('')),
      await startInstance('manager-2', answering('', 404)),
      await goneInstance('manager-3'),
    ];
    expect(await createHttpWorkSource().fence({ ...whose, source, instances, signal: never })).toEqual({
      kind: 'unconfirmed',
      reasons: [
        expect.stringMatching(/^manager-2 .*POST \/drain answered status 404$/),
        expect.stringMatching(/^manager-3 .*ECONNREFUSED/),
      ],
    });
  });

  test('without instances is not confirmed, for nobody holds it; lifting it is, for nobody holds it', async () => {
    const workSource = createHttpWorkSource();
    const request = { ...whose, source, instances: [], signal: never };
    expect(await workSource.fence(request)).toMatchObject({ kind: 'unconfirmed' });
    expect(await workSource.lift(request)).toEqual({ kind: 'confirmed' });
  });
});
