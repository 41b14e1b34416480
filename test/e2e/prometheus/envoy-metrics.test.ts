/** The built-in metrics by a real Prometheus that scrapes a real Envoy: every request is counted, for its version alone. */
import { expect, test } from 'vitest';
import { createPrometheusSource } from '../../../src/adapters/prometheus/metric-source.ts';
import { measure } from '../../../src/controller/measure.ts';
import type { BuiltinMetric, Check } from '../../../src/model/check.ts';
import { type Instant, instant } from '../../../src/model/instant.ts';
import type { Bucket, MeasuredOutcome } from '../../../src/model/measurement.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { RolloutPolicy, RolloutRecord } from '../../../src/model/rollout.ts';
import { eventually } from '../../support/eventually.ts';
import type { Gateway } from '../../support/gateway.ts';
import { echo, gatewayOf, nobody, PIN, running } from '../../support/gateway-world.ts';
import { compared, proberThat } from '../../support/measured.ts';
import { type PrometheusServer, startPrometheus } from '../../support/prometheus.ts';
import { rawHttp1 } from '../../support/raw-http1.ts';
import { aCheck, aRecord, aSpec, aTraffic, aVerification } from '../../support/records.ts';
import { aRollout } from '../../support/rollout-records.ts';

const SCRAPE = 500;
/** How often Envoy adds up its histograms, by default. */
const FLUSH = 5_000;
const now = (): Instant => instant(Date.now());

async function start(gateway: Gateway): Promise<PrometheusServer> {
  const prometheus = await startPrometheus({
    jobs: [{ job: 'envoy', targets: [new URL(gateway.envoy.admin).host], path: '/stats/prometheus' }],
    scrapeInterval: SCRAPE,
  });
  running.push(prometheus);
  await prometheus.scraped(3);
  return prometheus;
}

async function send(gateway: Gateway, version: string, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent += 1) await rawHttp1(gateway.port(), [`${PIN}: ${version}`]);
}

async function measured(asked: {
  readonly prometheus: PrometheusServer;
  readonly name: BuiltinMetric['name'];
  readonly window: { readonly from: Instant; readonly to: Instant };
  readonly condition?: Check['condition'];
  readonly rollout?: Partial<RolloutRecord>;
}): Promise<MeasuredOutcome> {
  const { prometheus, name, window, condition = { limit: { min: 0 } }, rollout } = asked;
  const server = { url: prometheus.url, scrapeInterval: 2 * SCRAPE, timeout: 5_000 };
  const { outcome } = await measure({
    check: aCheck({ metric: { kind: 'builtin', name }, condition }),
    record: aRecord({ spec: aSpec() }),
    rollout: aRollout({
      service: serviceName('manager'),
      version: versionName('1.8.3'),
      baseline: versionName('1.8'),
      ...rollout,
      policy: {
        ...(rollout ?? aRollout()).policy,
        verification: aVerification({ prometheus: server }),
      } as RolloutPolicy,
    }),
    window,
    instances: [],
    metricSource: createPrometheusSource(),
    prober: proberThat({ kind: 'error', reason: 'nobody is asked' }),
    signal: new AbortController().signal,
  });
  return outcome;
}

test('answers and attempts are counted to the request, from the first of a new version on', async () => {
  const [good, worse] = [await echo('1.8'), await nobody()];
  const gateway = await gatewayOf({
    versions: {
      '1.8': { endpoints: [good.address] },
      '1.8.3': { endpoints: [worse] },
      '1.8.30': { endpoints: [good.address] },
    },
    retries: 0,
  });
  const prometheus = await start(gateway);
  const from = now();
  await prometheus.scraped(2);
  await send(gateway, '1.8.3', 7);
  await send(gateway, '1.8', 5);
  await send(gateway, '1.8.30', 11);
  await prometheus.scraped(2);
  const window = { from, to: now() };
  expect(await measured({ prometheus, name: 'SuccessRate', window, condition: compared })).toEqual({
    kind: 'Data',
    data: { kind: 'ratio', candidate: { events: 0, total: 7 }, baseline: { events: 5, total: 5 } },
  });
  expect(await measured({ prometheus, name: 'ConnectionFailures', window, condition: compared })).toEqual({
    kind: 'Data',
    data: { kind: 'ratio', candidate: { events: 7, total: 7 }, baseline: { events: 0, total: 5 } },
  });
  const rate = await measured({ prometheus, name: 'RequestRate', window, condition: compared });
  expect(rate).toMatchObject({
    kind: 'Data',
    data: { kind: 'value', candidate: 0, baseline: expect.any(Number) },
  });
  // No request of the new version was answered upstream, so Envoy has no time to tell of.
  expect(await measured({ prometheus, name: 'LatencyP95', window })).toMatchObject({ kind: 'NoData' });
});

test('latencies are counted in the buckets of Envoy, each request once', async () => {
  const server = await echo('1.8.3');
  const gateway = await gatewayOf({ versions: { '1.8': {}, '1.8.3': { endpoints: [server.address] } } });
  const prometheus = await start(gateway);
  const from = now();
  await prometheus.scraped(2);
  await send(gateway, '1.8.3', 25);
  const buckets = await eventually(
    async () => {
      const outcome = await measured({ prometheus, name: 'LatencyP50', window: { from, to: now() } });
      if (outcome.kind !== 'Data' || outcome.data.kind !== 'histogram') return undefined;
      const { candidate } = outcome.data;
      return observations(candidate) >= 25 ? candidate : undefined;
    },
    { within: 6 * FLUSH, every: SCRAPE, what: 'the histogram' },
  );
  expect(observations(buckets)).toBe(25);
  expect(buckets.map(({ upTo }) => upTo)).toEqual(
    expect.arrayContaining([0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, null]),
  );
});

function observations(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, { count }) => sum + count, 0);
}

test('copies of default requests count for the version that is verified with them', async () => {
  const [primary, candidate] = [await echo('1.8'), await echo('1.8.3')];
  const gateway = await gatewayOf({
    versions: { '1.8': { endpoints: [primary.address] }, '1.8.3': { endpoints: [candidate.address] } },
    mirror: { version: '1.8.3', percent: 100 },
  });
  const prometheus = await start(gateway);
  const from = now();
  await prometheus.scraped(2);
  for (let sent = 0; sent < 6; sent += 1) await rawHttp1(gateway.port(), []);
  await send(gateway, '1.8.3', 2);
  await prometheus.scraped(2);
  const traffic = aTraffic({ mirror: { percent: 100, methods: ['GET'], grpcMethods: [] } });
  const asked = { prometheus, name: 'SuccessRate', window: { from, to: now() } } as const;
  const verified = await measured({ ...asked, rollout: { step: { kind: 'Verify' }, policy: { traffic } } });
  expect(verified).toMatchObject({ data: { candidate: { events: 8, total: 8 } } });
  expect(await measured(asked)).toMatchObject({ data: { candidate: { events: 2, total: 2 } } });
});

test('a proxy that is gone is no data for the version that it served', async () => {
  const server = await echo('1.8.3');
  const gateway = await gatewayOf({ versions: { '1.8': {}, '1.8.3': { endpoints: [server.address] } } });
  const prometheus = await start(gateway);
  await send(gateway, '1.8.3', 3);
  await prometheus.scraped(2);
  const from = now();
  gateway.envoy.signal('SIGKILL');
  await eventually(async () => (await prometheus.value('up{job="envoy"}', Date.now())) === '0');
  const outcome = await measured({ prometheus, name: 'SuccessRate', window: { from, to: now() } });
  expect(outcome).toEqual({ kind: 'NoData', reason: expect.stringMatching(/cannot scrape envoy 127/) });
});
