/** How the adapter asks: what is on the wire, for how long it waits, and what it makes of answers that a real one rarely gives. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPrometheusSource } from '../../../../src/adapters/prometheus/metric-source.ts';
import { type Instant, instant } from '../../../../src/model/instant.ts';
import type { PrometheusSpec } from '../../../../src/model/spec.ts';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

let requests: Request[];
let answer: { status: number; body: string };
const server = createServer((request, response) => {
  void read(request).then((body) => {
    const { method = '', url: path = '', headers } = request;
    requests.push({ method, path, authorization: headers.authorization, form: new URLSearchParams(body) });
    response.writeHead(answer.status).end(answer.body);
  });
});

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString();
  return body;
}

const success = (data: unknown): typeof answer => ({
  status: 200,
  body: JSON.stringify({ status: 'success', data }),
});
const vector = (...result: unknown[]): typeof answer => success({ resultType: 'vector', result });
const matrix = (...result: unknown[]): typeof answer => success({ resultType: 'matrix', result });

beforeEach(async () => {
  requests = [];
  answer = vector();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function spec(replaced: { prefix?: string; credentials?: string; timeout?: number } = {}): PrometheusSpec {
  const { prefix = '', credentials = '', timeout = 1_500 } = replaced;
  const { port } = server.address() as AddressInfo;
  return { url: `http://${credentials}127.0.0.1:${port}${prefix}`, scrapeInterval: 5_000, timeout };
}

const { signal } = new AbortController();
const at = instant(1_700_000_000_123);
const query = (
  replaced?: Parameters<typeof spec>[0],
  options?: Parameters<typeof createPrometheusSource>[0],
) => createPrometheusSource(options).query({ server: spec(replaced), query: 'up', at, signal });

describe('a query', () => {
  test('names its time to the millisecond and how long it may take', async () => {
    await query();
    const [request] = requests;
    expect(request).toMatchObject({ method: 'POST', path: '/api/v1/query' });
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      query: 'up',
      time: '1700000000.123',
      timeout: '1500ms',
    });
  });

  test('goes below the path of the URL, with its credentials', async () => {
    await query({ prefix: '/prom/', credentials: 'reader:s%20cret@' });
    expect(requests[0]).toMatchObject({
      path: '/prom/api/v1/query',
      authorization: `Basic ${Buffer.from('reader:s cret').toString('base64')}`,
    });
  });

  test('that fails names the server and not its password', async () => {
    answer = { status: 403, body: '{"status":"error","errorType":"forbidden","error":"no"}' };
    const failed = await query({ credentials: 'reader:secret@' });
    expect(failed).toEqual({
      kind: 'error',
      reason: expect.stringMatching(/^Prometheus at 127.0.0.1:\d+ answered status 403, forbidden: no$/),
    });
  });

  test('keeps what is infinite', async () => {
    answer = vector({ metric: { a: 'b' }, value: [1.5, '+Inf'] }, { metric: {}, value: [1.5, '-Inf'] });
    expect(await query()).toEqual({
      kind: 'vector',
      elements: [
        { labels: { a: 'b' }, at: 1500, value: Number.POSITIVE_INFINITY },
        { labels: {}, at: 1500, value: Number.NEGATIVE_INFINITY },
      ],
    });
  });

  test.each([
    ['a redirect', { status: 302, body: '' }, /status 302/],
    ['success with an error status', { status: 500, body: '{"status":"success","data":{}}' }, /status 500/],
    ['no JSON', { status: 200, body: 'OK' }, /no JSON object/],
    ['a list', { status: 200, body: '[]' }, /no JSON object/],
    ['another status', { status: 200, body: '{"status":"maybe"}' }, /neither success nor error/],
    ['raw samples', matrix(), /matrix where one number/],
    ['a string', success({ resultType: 'string', result: [1, 'a'] }), /string where one number/],
    ['an element that is none', vector(null), /null where a series belongs/],
    ['a value that is no number', vector({ metric: {}, value: [1, 'many'] }), /"many", which is no number/],
    ['an empty value', vector({ metric: {}, value: [1, ''] }), /no number/],
    ['a native histogram', vector({ metric: {}, histogram: [1, {}] }), /native histograms/],
    ['labels that are none', vector({ metric: { a: 1 }, value: [1, '1'] }), /the label a with 1/],
  ])('that is answered by %s is an error', async (_, given, reason) => {
    answer = given;
    expect(await query()).toEqual({ kind: 'error', reason: expect.stringMatching(reason) });
  });

  test('that is answered by more than is taken is an error', async () => {
    answer = vector({ metric: { a: 'x'.repeat(1_000) }, value: [1, '1'] });
    expect(await query({}, { maxBytes: 500 })).toEqual({
      kind: 'error',
      reason: expect.stringMatching(/longer than 500 bytes/),
    });
  });
});

describe('raw samples', () => {
  const samples = (from: number, to: number, options: Parameters<typeof createPrometheusSource>[0] = {}) =>
    createPrometheusSource(options).samples({
      server: spec(),
      selector: 'x_total{a="b"}',
      from: from as Instant,
      to: to as Instant,
      signal,
    });

  test('are asked as a selector with a range that ends at its last time', async () => {
    answer = matrix();
    await samples(1_000_000, 1_060_500);
    expect(requests.map(({ form }) => [form.get('query'), form.get('time')])).toEqual([
      ['x_total{a="b"}[60500ms]', '1060.500'],
    ]);
  });

  test('of a long range are asked in parts, and none is there twice', async () => {
    answer = matrix({
      metric: { a: 'b' },
      values: [
        [1000, '1'],
        [1010, '2'],
        [1020, '3'],
      ],
    });
    const all = await samples(1_000_000, 1_020_000, { longestRange: 10_000 });
    expect(requests.map(({ form }) => form.get('time'))).toEqual(['1010.000', '1020.000']);
    expect(all).toEqual({
      kind: 'series',
      series: [
        {
          labels: { a: 'b' },
          samples: [
            { at: 1_010_000, value: 2 },
            { at: 1_020_000, value: 3 },
          ],
        },
      ],
    });
  });

  test('that are no samples are an error', async () => {
    answer = matrix({ metric: {}, histograms: [] });
    expect(await samples(0, 1)).toEqual({
      kind: 'error',
      reason: expect.stringMatching(/native histograms/),
    });
    answer = vector();
    expect(await samples(0, 1)).toEqual({
      kind: 'error',
      reason: expect.stringMatching(/vector where raw samples/),
    });
  });

  test('are asked when the scrapes that were under way at the end can be stored', async () => {
    answer = matrix();
    const slept: number[] = [];
    const clock = {
      now: () => instant(2_000_100),
      sleep: async (length: number) => {
        expect(requests).toEqual([]);
        slept.push(length);
      },
    };
    await samples(1_990_000, 2_000_000, { clock, settle: 400 });
    expect(slept).toEqual([300]);
    await samples(1_980_000, 1_990_000, { clock, settle: 400 });
    expect(slept).toEqual([300]);
  });
});

test('a server that does not say its version is no Prometheus', async () => {
  answer = success({ revision: 'a' });
  await expect(createPrometheusSource().version(spec(), signal)).rejects.toThrow(/does not say its version/);
});
