/** Open work that a real Prometheus scrapes: it drains to zero behind a fence, and is unknown while that is not sure. */
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { createPrometheusSource } from '../../../src/adapters/prometheus/metric-source.ts';
import { createPromqlWorkSource } from '../../../src/adapters/promql-work-source/work-source.ts';
import { type Instant, instant } from '../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { WorkCount } from '../../../src/ports/work-source.ts';
import { eventually } from '../../support/eventually.ts';
import { type Exporter, startExporter } from '../../support/exporter.ts';
import { type PrometheusServer, startPrometheus } from '../../support/prometheus.ts';
import { anInstance } from '../../support/records.ts';

const SCRAPE = 400;
const QUIET = 2_000;

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const SERIES = 'open_work{version="v1",kind="task"}';
let exporters: readonly Exporter[];
let prometheus: PrometheusServer;

async function start(): Promise<void> {
  exporters = [await startExporter(), await startExporter()];
  stops.push(...exporters.map((each) => () => each.close()));
  exporters.forEach((each, index) => each.set(SERIES, 2 + index));
  prometheus = await startPrometheus({
    jobs: [{ job: 'manager', targets: exporters.map(({ address }) => address) }],
    scrapeInterval: SCRAPE,
  });
  stops.push(() => prometheus.stop());
  await prometheus.scraped(3);
}

function count(fencedSince?: Instant): Promise<WorkCount> {
  return createPromqlWorkSource({ metricSource: createPrometheusSource(), clock: systemClock }).count({
    source: {
      kind: 'promql',
      query: 'sum by (instance) (open_work{version="{{version}}"})',
      prometheus: { url: prometheus.url, scrapeInterval: 2 * SCRAPE, timeout: 5_000 },
      instanceLabel: 'instance',
      quietFor: QUIET,
    },
    service: serviceName('manager'),
    version: versionName('v1'),
    ...(fencedSince === undefined ? {} : { fencedSince }),
    peers: [],
    instances: exporters.map(({ address }) =>
      anInstance('v1', { address: { host: '127.0.0.1', port: Number(address.split(':')[1]) } }),
    ),
    signal: new AbortController().signal,
  });
}

test('a version is counted to zero behind its fence, and not a moment before that is sure', async () => {
  await start();
  expect(await count()).toMatchObject({ kind: 'counted', total: 5 });
  const fencedSince = instant(Date.now());
  expect(await count(fencedSince)).toMatchObject({ kind: 'counted', total: 5 });
  for (const each of exporters) each.set(SERIES, 0);
  const emptied = Date.now();
  await prometheus.scraped(2);
  expect(await count(fencedSince)).toMatchObject({
    kind: 'unknown',
    reason: expect.stringMatching(/^it is zero, and/),
  });
  const counted = await eventually(async () => {
    const answer = await count(fencedSince);
    return answer.kind === 'counted' ? answer : undefined;
  });
  expect(counted).toMatchObject({ total: 0, open: [] });
  expect(Date.now() - emptied).toBeGreaterThanOrEqual(QUIET - SCRAPE);
  expect(counted.asOf).toBeGreaterThan(fencedSince);
});

test('an instance that stops answering makes the count unknown, and never zero', async () => {
  await start();
  const fencedSince = instant(Date.now());
  for (const each of exporters) each.set(SERIES, 0);
  exporters[1]?.answering(false);
  await eventually(async () => (await prometheus.value('min(up)', Date.now())) === '0');
  const until = Date.now() + QUIET + 4 * SCRAPE;
  const kinds = new Set<string>();
  await eventually(
    async () => {
      kinds.add((await count(fencedSince)).kind);
      return Date.now() > until;
    },
    { within: QUIET + 20_000, every: SCRAPE },
  );
  expect([...kinds]).toEqual(['unknown']);
});
