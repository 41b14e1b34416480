/** The delegate source contract over PromQL, and that what is missing, old or without a tenant is unknown, never none. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createPromqlDelegateSource } from '../../src/adapters/delegate-sources/promql.ts';
import type { DelegateSourceSpec } from '../../src/model/delegates.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { ScriptedMetrics } from '../support/scripted-metrics.ts';
import { delegateSourceContract } from './delegate-source.ts';

const NOW = 1_000_000;
const clock = { now: () => instant(NOW), sleep: () => Promise.resolve() };
const source: DelegateSourceSpec = {
  kind: 'promql',
  query: 'sum by (tenant) (delegates{service="{{service}}",version="{{version}}"})',
  prometheus: { url: 'http://127.0.0.1:9090', scrapeInterval: 5_000, timeout: 1_000 },
  tenantLabel: 'tenant',
};
const request = { source, service: serviceName('manager'), since: instant(0), instances: [] };
const selectorOf = (version: string) => `delegates{service="manager",version="${version}"}`;
const queryOf = (version: string) => `sum by (tenant) (${selectorOf(version)})`;

/** What Prometheus answers of a version; the oldest sample that it reads is so old. */
function told(
  metrics: ScriptedMetrics,
  version: string,
  counts: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[],
  age = 1_000,
): void {
  metrics.answer(queryOf(version), counts);
  metrics.answer(
    `min(timestamp(${selectorOf(version)}))`,
    counts.length === 0 ? [] : [[{}, (NOW - age) / 1_000]],
  );
}

delegateSourceContract('the delegate source over PromQL', async () => {
  const metrics = new ScriptedMetrics();
  return {
    source: createPromqlDelegateSource({ metricSource: metrics, clock }),
    request,
    connect(delegates) {
      for (const version of ['v1', 'v2', 'v3']) {
        const tenants = delegates.filter((one) => one.version === version).map(({ tenant }) => tenant);
        told(
          metrics,
          version,
          [...new Set(tenants)].map((tenant) => [
            { tenant },
            tenants.filter((other) => other === tenant).length,
          ]),
        );
      }
    },
    answering: (does) => {
      metrics.problem = does ? undefined : 'connection refused';
    },
    close: async () => undefined,
  };
});

describe('the delegate source over PromQL', () => {
  let metrics: ScriptedMetrics;
  beforeEach(() => {
    metrics = new ScriptedMetrics();
  });
  const ask = (...versions: readonly string[]) =>
    createPromqlDelegateSource({ metricSource: metrics, clock }).delegates({
      ...request,
      versions: versions.map(versionName),
      signal: AbortSignal.timeout(1_000),
    });

  test('a zero that Prometheus tells is a zero, and the answer is as old as its oldest sample', async () => {
    told(metrics, 'v1', [[{ tenant: 'acme' }, 3]], 2_000);
    told(metrics, 'v2', [[{ tenant: 'acme' }, 0]], 1_000);
    expect(await ask('v1', 'v2')).toEqual({
      kind: 'counted',
      asOf: NOW - 2_000,
      counts: [
        { version: 'v1', tenant: 'acme', connected: 3 },
        { version: 'v2', tenant: 'acme', connected: 0 },
      ],
      unknown: [],
    });
  });

  test('a version without series is unknown, by name, and not zero', async () => {
    told(metrics, 'v1', [[{ tenant: 'acme' }, 3]]);
    told(metrics, 'v2', []);
    expect(await ask('v1', 'v2')).toMatchObject({
      kind: 'counted',
      counts: [{ version: 'v1' }],
      unknown: [{ version: 'v2', reason: expect.stringContaining('no series') }],
    });
    expect(await ask('v2')).toEqual({ kind: 'unknown', reason: expect.stringMatching(/^v2: .*no series/) });
  });

  test('a version one of whose series is old is unknown', async () => {
    told(metrics, 'v1', [[{ tenant: 'acme' }, 3]], 10_000);
    expect(await ask('v1')).toEqual({
      kind: 'unknown',
      reason: 'v1: a series that the query reads has no sample for 10 s',
    });
    told(metrics, 'v1', [[{ tenant: 'acme' }, 3]], 9_999);
    expect((await ask('v1')).kind).toBe('counted');
  });

  test.each<readonly [string, readonly (readonly [Readonly<Record<string, string>>, number])[], RegExp]>([
    [
      'without the label of the tenant',
      [[{ job: 'manager' }, 3]],
      /without the label tenant; add: by \(tenant\)/,
    ],
    ['that is no number', [[{ tenant: 'acme' }, Number.NaN]], /answers NaN for tenant acme/],
    ['below zero', [[{ tenant: 'acme' }, -1]], /answers -1 for tenant acme/],
    ['of a tenant that is none', [[{ tenant: ' acme' }, 1]], /tenant " acme" must be/],
  ])('a version with a series %s is unknown', async (_, counts, reason) => {
    told(metrics, 'v1', counts);
    expect(await ask('v1')).toEqual({ kind: 'unknown', reason: expect.stringMatching(reason) });
  });

  test('a version one of whose managers cannot be scraped is unknown, by the name of the manager', async () => {
    told(metrics, 'v1', [[{ tenant: 'acme' }, 3]]);
    metrics.add(`${selectorOf('v1').slice(0, -1)},job="manager",instance="a:1"}`, NOW - 60_000, 3);
    metrics.add('up{job="manager",instance="a:1"}', NOW - 1_000, 0);
    expect(await ask('v1')).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(/^v1: Prometheus cannot scrape manager a:1, which had delegates/),
    });
  });

  test('a query that reads no series counts nothing', async () => {
    const answer = await createPromqlDelegateSource({ metricSource: metrics, clock }).delegates({
      ...request,
      source: { ...source, query: 'vector(1)' },
      versions: [versionName('v1')],
      signal: AbortSignal.timeout(1_000),
    });
    expect(answer).toEqual({ kind: 'unknown', reason: expect.stringContaining('reads no series') });
  });
});
