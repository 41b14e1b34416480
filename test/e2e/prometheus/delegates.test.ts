/** Delegates that a real Prometheus scrapes: counted by tenant and version, and unknown while that is not sure. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createPromqlDelegateSource } from '../../../src/adapters/delegate-sources/promql.ts';
import { createPrometheusSource } from '../../../src/adapters/prometheus/metric-source.ts';
import type { DelegateAnswer } from '../../../src/model/delegates.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { eventually } from '../../support/eventually.ts';
import { type Exporter, startExporter } from '../../support/exporter.ts';
import { type PrometheusServer, startPrometheus } from '../../support/prometheus.ts';

const SCRAPE = 400;

const connected = (tenant: string, version: string) =>
  `delegates_connected{tenant="${tenant}",version="${version}"}`;

let managers: readonly Exporter[];
let prometheus: PrometheusServer;
beforeEach(async () => {
  managers = [await startExporter(), await startExporter()];
  for (const [index, each] of managers.entries()) {
    each.set(connected('acme', 'v1'), 2 + index);
    each.set(connected('umbrella', 'v1'), 1);
  }
  prometheus = await startPrometheus({
    jobs: [{ job: 'manager', targets: managers.map(({ address }) => address) }],
    scrapeInterval: SCRAPE,
  });
  await prometheus.scraped(2);
});
afterEach(async () => {
  await prometheus.stop();
  for (const each of managers) await each.close();
});

function ask(): Promise<DelegateAnswer> {
  return createPromqlDelegateSource({
    metricSource: createPrometheusSource(),
    clock: systemClock,
  }).delegates({
    source: {
      kind: 'promql',
      query: 'sum by (tenant) (delegates_connected{version="{{version}}"})',
      prometheus: { url: prometheus.url, scrapeInterval: 2 * SCRAPE, timeout: 5_000 },
      tenantLabel: 'tenant',
    },
    service: serviceName('manager'),
    versions: ['v1', 'v2'].map(versionName),
    since: instant(0),
    instances: [],
    signal: AbortSignal.timeout(10_000),
  });
}
const countsOf = (answer: DelegateAnswer) =>
  answer.kind === 'counted'
    ? answer.counts
        .map(({ tenant, version, connected: count }) => `${tenant} ${version}: ${count}`)
        .toSorted()
    : [];

test('all managers add up, by tenant; a version that nobody tells of is unknown until somebody does', async () => {
  const before = await ask();
  expect(countsOf(before)).toEqual(['acme v1: 5', 'umbrella v1: 2']);
  expect(before).toMatchObject({
    unknown: [{ version: 'v2', reason: expect.stringContaining('no series') }],
  });
  managers[0]?.set(connected('acme', 'v2'), 1);
  await eventually(async () => countsOf(await ask()).includes('acme v2: 1'));
});

test('a tenant whose series went is not told any more, and takes no other with it', async () => {
  for (const each of managers) each.forget(connected('umbrella', 'v1'));
  const told = await eventually(async () => {
    const counts = countsOf(await ask());
    return counts.length === 1 ? counts : undefined;
  });
  expect(told).toEqual(['acme v1: 5']);
});

test('a manager that cannot be scraped makes its version unknown: those that it has are missing', async () => {
  managers[1]?.answering(false);
  const told = await eventually(async () => {
    const answer = await ask();
    return answer.kind === 'unknown' ? answer.reason : undefined;
  });
  expect(told).toContain(`cannot scrape manager ${managers[1]?.address}`);
  managers[1]?.answering(true);
  await eventually(async () => countsOf(await ask()).includes('acme v1: 5'));
});

test('without Prometheus nothing is known, and nobody is none', async () => {
  await prometheus.stop();
  expect(await ask()).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(/^v1: /) });
});
