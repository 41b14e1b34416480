/** What Prometheus and a load balancer read over HTTP. */
import { expect, onTestFinished, test } from 'vitest';
import {
  type HttpServer,
  type HttpServerOptions,
  startHttpServer,
} from '../../../src/telemetry/http-server.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';

async function serve(
  overrides: Partial<HttpServerOptions> = {},
): Promise<{ server: HttpServer; url: string }> {
  const metrics = new Metrics({ version: '0.1.0' });
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    scrape: () => metrics.scrape(),
    readiness: () => ({ kind: 'ready' }),
    onFault: ({ error }) => {
      throw error;
    },
    ...overrides,
  });
  onTestFinished(() => server.close().catch(() => {}));
  return { server, url: `http://127.0.0.1:${server.address.port}` };
}

test('metrics are served as Prometheus text', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const body = await response.text();
  expect(body).toContain(`switchyard_build_info{version="0.1.0",node="${process.versions.node}"} 1`);
  expect(body).toContain('process_cpu_seconds_total');
});

test('health is the process, readiness is the service, with the reason', async () => {
  let reason: string | undefined = 'the state is being loaded';
  const { url } = await serve({
    readiness: () => (reason === undefined ? { kind: 'ready' } : { kind: 'notReady', reason }),
  });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const early = await fetch(`${url}/readyz`);
  expect([early.status, await early.text()]).toEqual([503, 'not ready: the state is being loaded\n']);
  reason = undefined;
  expect((await fetch(`${url}/readyz?verbose`)).status).toBe(200);
});

test('other paths and methods are answered with what there is', async () => {
  const { url } = await serve();
  const missing = await fetch(`${url}/nothing`);
  expect([missing.status, await missing.text()]).toEqual([
    404,
    'there is no /nothing here; there are /, /metrics, /healthz, /readyz\n',
  ]);
  expect((await fetch(`${url}/__proto__`)).status).toBe(404);
  const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test('a page that fails is a 500 and a line in the log, and the server works on', async () => {
  const faults: unknown[] = [];
  const failure = new Error('no facts');
  const { url } = await serve({
    scrape: () => Promise.reject(failure),
    onFault: (fault) => faults.push(fault),
  });
  expect((await fetch(`${url}/metrics`)).status).toBe(500);
  expect(faults).toEqual([{ path: '/metrics', error: failure }]);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('a port that is taken is told', async () => {
  const { server } = await serve();
  await expect(serve({ port: server.address.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('closing ends open connections', async () => {
  const { server, url } = await serve();
  await fetch(`${url}/healthz`).then((response) => response.text());
  await server.close();
  await expect(fetch(`${url}/healthz`)).rejects.toThrow(/fetch failed/);
});
