/**
 * Measuring by a real Prometheus, and everything that can be wrong with it: it stops, it is slow, what it answers is
 * empty, no number, an error, cut or partial; counters fall, series go stale or vanish. None of it is ever a pass.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrometheusSource } from '../../../src/adapters/prometheus/metric-source.ts';
import { type Measured, measure } from '../../../src/controller/measure.ts';
import type { Check, CheckMetric } from '../../../src/model/check.ts';
import { type Instant, instant } from '../../../src/model/instant.ts';
import { type ServiceName, serviceName, versionName } from '../../../src/model/names.ts';
import { judge } from '../../../src/verification/judge.ts';
import { eventually } from '../../support/eventually.ts';
import { type Exporter, startExporter } from '../../support/exporter.ts';
import { type FaultyServer, startFaultyServer } from '../../support/faulty-server.ts';
import { proberThat } from '../../support/measured.ts';
import { type PrometheusServer, startPrometheus } from '../../support/prometheus.ts';
import { aCheck, aRecord, aSpec, aVerification } from '../../support/records.ts';
import { aRollout } from '../../support/rollout-records.ts';

/** Scraped twice as often as the spec says, so that a busy machine that is late with one scrape is not a fault. */
const SCRAPE = 400;
const SPEC_SCRAPE = 2 * SCRAPE;
const [v1, v2] = [versionName('v1'), versionName('v2')];

/** A service for each test, with a target of its own. */
const SERVICES = ['good', 'nan', 'reset', 'stale', 'vanished', 'born', 'old'] as const;
type Service = (typeof SERVICES)[number];

/** A target that says the time of its samples itself: Prometheus sets no mark where they end. */
const OLD = 'envoy_cluster_upstream_rq_xx{envoy_cluster_name="old__v2",envoy_response_code_class="2"}';

let prometheus: PrometheusServer;
let proxy: FaultyServer;
const exporters = new Map<Service, Exporter>();
const exporter = (service: Service): Exporter => exporters.get(service) as Exporter;

beforeAll(async () => {
  for (const service of SERVICES) exporters.set(service, await startExporter());
  for (const service of SERVICES.filter((each) => !['born', 'old'].includes(each)))
    answers(service, '2', 100);
  exporter('old').set(OLD, 100, Date.now());
  prometheus = await startPrometheus({
    jobs: SERVICES.map((job) => ({ job, targets: [exporter(job).address] })),
    scrapeInterval: SCRAPE,
  });
  proxy = await startFaultyServer(prometheus.url);
  await prometheus.scraped(3);
});
afterAll(async () => {
  await proxy?.close();
  await prometheus?.stop();
  await Promise.all([...exporters.values()].map((each) => each.close()));
});

/** Envoy has answered so many requests of v2 with this class. */
function answers(service: Service, code: string, times: number): void {
  exporter(service).add(
    `envoy_cluster_upstream_rq_xx{envoy_cluster_name="${service}__v2",envoy_response_code_class="${code}"}`,
    times,
  );
}

const now = (): Instant => instant(Date.now());
const successRate: Check = aCheck({ minimumSamples: 1 });
const query = (text: string): Check =>
  aCheck({
    metric: { kind: 'query', query: text, args: {} } satisfies CheckMetric,
    condition: { limit: { min: 0 } },
  });

interface Asked {
  readonly service?: ServiceName;
  readonly window: { readonly from: Instant; readonly to: Instant };
  readonly check?: Check;
  readonly url?: string;
  readonly timeout?: number;
}

async function measured({
  service = serviceName('good'),
  window,
  check = successRate,
  url,
  timeout,
}: Asked): Promise<Measured> {
  const server = { url: url ?? proxy.url, scrapeInterval: SPEC_SCRAPE, timeout: timeout ?? 5_000 };
  const policy = { ...aRollout().policy, verification: aVerification({ prometheus: server }) };
  const found = await measure({
    check,
    record: aRecord({ spec: aSpec() }),
    rollout: aRollout({ service, version: v2, baseline: v1, policy }),
    window,
    instances: [],
    metricSource: createPrometheusSource(),
    prober: proberThat({ kind: 'error', reason: 'nobody is asked' }),
    signal: new AbortController().signal,
  });
  const { state } = judge({
    check,
    step: 'Shift',
    outcome: found.outcome,
    earlier: [],
    version: v2,
    baseline: v1,
  });
  if (found.outcome.kind !== 'Data') expect(state).toBe(found.outcome.kind);
  return found;
}

/** A window of some scrapes that is just over; `within` happens in its middle. */
async function windowOf(within: () => void = () => undefined): Promise<Asked['window']> {
  const from = now();
  await prometheus.scraped(2);
  within();
  await prometheus.scraped(2);
  return { from, to: now() };
}

test('without a fault there is data: what happened within the window, to the request', async () => {
  const window = await windowOf(() => {
    answers('good', '2', 19);
    answers('good', '5', 1);
  });
  const { outcome, queries } = await measured({ window });
  expect(outcome).toEqual({ kind: 'Data', data: { kind: 'ratio', candidate: { events: 19, total: 20 } } });
  expect(queries.length).toBeGreaterThan(1);
});

describe('the answer', () => {
  const over = async (fault: FaultyServer['fault'], options: Partial<Asked> = {}): Promise<Measured> => {
    const window = await windowOf(() => answers('good', '2', 5));
    proxy.fault = fault;
    try {
      return await measured({ window, ...options });
    } finally {
      proxy.fault = { kind: 'none' };
    }
  };

  test('that never comes is an error within the timeout', async () => {
    const { outcome } = await over({ kind: 'silence' }, { timeout: 300 });
    expect(outcome).toEqual({ kind: 'Error', reason: expect.stringMatching(/no answer within 300 ms/) });
  });

  test('that is an error with status 200 is an error', async () => {
    const body = JSON.stringify({ status: 'error', errorType: 'internal', error: 'store is gone' });
    const { outcome } = await over({ kind: 'body', status: 200, body });
    expect(outcome).toEqual({ kind: 'Error', reason: expect.stringMatching(/internal: store is gone/) });
  });

  test('that is a page of somebody else is an error', async () => {
    const { outcome } = await over({ kind: 'body', status: 200, body: '<html>please log in</html>' });
    expect(outcome).toEqual({
      kind: 'Error',
      reason: expect.stringMatching(/no JSON object: "<html>please log in/),
    });
  });

  test('that holds no result is an error, not nothing', async () => {
    const { outcome } = await over({ kind: 'body', status: 200, body: '{"status":"success"}' });
    expect(outcome).toEqual({ kind: 'Error', reason: expect.stringMatching(/success without data/) });
  });

  test('that breaks off is an error', async () => {
    const { outcome } = await over({ kind: 'cut' });
    expect(outcome.kind).toBe('Error');
  });

  test('that comes with a warning is an error: a part of the data may be missing', async () => {
    const change = (body: string): string =>
      JSON.stringify({ ...(JSON.parse(body) as object), warnings: ['a store did not answer'] });
    const { outcome } = await over({ kind: 'changed', change });
    expect(outcome).toEqual({
      kind: 'Error',
      reason: expect.stringMatching(/a part may be missing: a store did not answer/),
    });
  });

  test('that is empty is no data', async () => {
    const change = (body: string): string => body.replace(/"result":\[.*\]/s, '"result":[]');
    const { outcome } = await over({ kind: 'changed', change });
    expect(outcome).toEqual({ kind: 'NoData', reason: expect.stringMatching(/has no series/) });
  });
});

test('values that are no numbers are no data', async () => {
  const series = 'envoy_cluster_upstream_rq_xx{envoy_cluster_name="nan__v2",envoy_response_code_class="2"}';
  const window = await windowOf(() => exporter('nan').set(series, 'NaN'));
  const { outcome } = await measured({ service: serviceName('nan'), window });
  expect(outcome).toEqual({ kind: 'NoData', reason: expect.stringMatching(/the value NaN/) });
  const asked = await measured({
    service: serviceName('nan'),
    window,
    check: query('sum({envoy_cluster_name="{{service}}__v2"})'),
  });
  expect(asked.outcome).toEqual({ kind: 'NoData', reason: expect.stringMatching(/answers NaN/) });
});

test('a counter that falls counts from zero, and nothing is negative', async () => {
  const own = exporter('reset');
  const window = await windowOf(() => {
    own.forget('envoy_cluster');
    answers('reset', '2', 7);
  });
  const { outcome } = await measured({ service: serviceName('reset'), window });
  expect(outcome).toEqual({ kind: 'Data', data: { kind: 'ratio', candidate: { events: 7, total: 7 } } });
});

test('a target that cannot be scraped any more is no data, in its window and in those after it', async () => {
  const asked = { service: serviceName('stale'), check: successRate };
  const from = now();
  await prometheus.scraped(2);
  exporter('stale').answering(false);
  const failing = now();
  await waitUntil(failing + 3 * SPEC_SCRAPE);
  const window = { from, to: now() };
  expect((await measured({ ...asked, window })).outcome).toEqual({
    kind: 'NoData',
    reason: expect.stringMatching(/cannot scrape stale 127/),
  });
  await waitUntil(window.to + 5 * SPEC_SCRAPE);
  const next = { from: window.to, to: now() };
  expect((await measured({ ...asked, window: next })).outcome).toEqual({
    kind: 'NoData',
    reason: expect.stringMatching(/cannot scrape stale 127/),
  });
  // Prometheus itself would still answer a number for minutes.
  const text = 'sum(increase({envoy_cluster_name="stale__v2"}[1m]))';
  expect(await prometheus.value(text, next.to)).toBeDefined();
  expect((await measured({ ...asked, window: next, check: query(text) })).outcome.kind).toBe('NoData');
  exporter('stale').answering(true);
});

test('samples that are old, though Prometheus goes on answering with them, are no data', async () => {
  const from = now();
  await prometheus.scraped(2);
  exporter('old').set(OLD, 200, Date.now());
  await waitUntil(now() + 3 * SPEC_SCRAPE);
  const asked = { service: serviceName('old'), window: { from, to: now() } };
  expect((await measured(asked)).outcome).toEqual({
    kind: 'NoData',
    reason: expect.stringMatching(/no sample for the last/),
  });
  const text = 'sum({envoy_cluster_name="old__v2"})';
  expect(await prometheus.value(text, asked.window.to)).toBe('200');
  expect((await measured({ ...asked, check: query(text) })).outcome).toEqual({
    kind: 'NoData',
    reason: expect.stringMatching(/s old, more than two scrapes/),
  });
});

test('a series that vanished from a target that is scraped is no data', async () => {
  const asked = { service: serviceName('vanished'), check: successRate };
  const from = now();
  await prometheus.scraped(2);
  exporter('vanished').forget();
  await waitUntil(now() + 3 * SPEC_SCRAPE);
  const window = { from, to: now() };
  const { outcome } = await measured({ ...asked, window });
  expect(outcome).toEqual({ kind: 'NoData', reason: expect.stringMatching(/has no sample for the last/) });
  const text = 'sum(increase({envoy_cluster_name="vanished__v2"}[1m]))';
  expect(await prometheus.value(text, window.to)).toBeDefined();
  expect((await measured({ ...asked, window, check: query(text) })).outcome).toEqual({
    kind: 'NoData',
    reason: expect.stringMatching(/no new samples/),
  });
});

test('the first errors of a new series count, which increase() does not see', async () => {
  const window = await windowOf(() => answers('born', '5', 3));
  const { outcome } = await measured({ service: serviceName('born'), window });
  expect(outcome).toEqual({ kind: 'Data', data: { kind: 'ratio', candidate: { events: 0, total: 3 } } });
  const seconds = Math.ceil((window.to - window.from) / 1000);
  expect(
    await prometheus.value(`sum(increase({envoy_cluster_name="born__v2"}[${seconds}s]))`, window.to),
  ).toBe('0');
});

test('a Prometheus that hangs, and one that is gone, are errors', async () => {
  const window = await windowOf(() => answers('good', '2', 5));
  prometheus.signal('SIGSTOP');
  const hanging = await measured({ window, url: prometheus.url, timeout: 300 });
  prometheus.signal('SIGCONT');
  expect(hanging.outcome).toEqual({ kind: 'Error', reason: expect.stringMatching(/no answer within/) });
  expect((await measured({ window, url: prometheus.url })).outcome.kind).toBe('Data');
  await prometheus.stop();
  const gone = await measured({ window, url: prometheus.url });
  expect(gone.outcome).toEqual({ kind: 'Error', reason: expect.stringMatching(/ECONNREFUSED/) });
});

/** Until this time is over. */
async function waitUntil(time: number): Promise<void> {
  await eventually(() => Date.now() > time, { within: time - Date.now() + 10_000 });
}
