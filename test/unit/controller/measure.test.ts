/** What a measurement says of queries, instances, probes and webhooks. It never rejects. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { CheckMetric } from '../../../src/model/check.ts';
import {
  builtin,
  compared,
  measured as measuredFrom,
  proberThat,
  SCRAPE,
  window,
} from '../../support/measured.ts';
import { anInstance } from '../../support/records.ts';
import { ScriptedMetrics } from '../../support/scripted-metrics.ts';

let metrics: ScriptedMetrics;
beforeEach(() => {
  metrics = new ScriptedMetrics();
});
const measured = (
  metric: Parameters<typeof measuredFrom>[1],
  replaced?: Parameters<typeof measuredFrom>[2],
): ReturnType<typeof measuredFrom> => measuredFrom(metrics, metric, replaced);

describe('a query', () => {
  const query = (text: string): CheckMetric => ({ kind: 'query', query: text, args: {} });
  const text = 'sum(rate(jobs_total{version="v2"}[30s]))';
  const selector = 'jobs_total{version="v2"}';
  const jobs = (until: number): void =>
    metrics.addAll(
      'jobs_total{version="v2",job="app",instance="a:1"}',
      until - 10 * SCRAPE,
      SCRAPE,
      Array.from({ length: 11 }, (_, index) => index),
    );

  test('answers one number of each side, with its own version in it', async () => {
    jobs(window.to);
    metrics.addAll('jobs_total{version="v1",job="app",instance="a:1"}', window.to - SCRAPE, SCRAPE, [1, 1]);
    metrics.answer(text, [[{}, 0.2]]);
    metrics.answer(text.replace('v2', 'v1'), [[{}, 0.1]]);
    const { outcome } = await measured(query('sum(rate(jobs_total{version="{{version}}"}[{{window}}]))'), {
      condition: compared,
    });
    expect(outcome).toEqual({ kind: 'Data', data: { kind: 'value', candidate: 0.2, baseline: 0.1 } });
  });

  test.each([
    ['nothing', [], 'NoData', /answers nothing/],
    ['what is not a number', [[{}, Number.NaN]], 'NoData', /answers NaN/],
    ['infinity', [[{}, Number.POSITIVE_INFINITY]], 'NoData', /answers Infinity/],
    [
      'several series',
      [
        [{ a: '1' }, 1],
        [{ a: '2' }, 1],
      ],
      'Error',
      /answers 2 series.*sum\(\)/,
    ],
    ['an error', 'bad_data: parse error', 'Error', /parse error/],
  ] as const)('that answers %s is no data', async (_, answer, kind, reason) => {
    jobs(window.to);
    metrics.answer(text, answer);
    expect((await measured(query(text))).outcome).toEqual({ kind, reason: expect.stringMatching(reason) });
  });

  test('of samples that are older than two scrapes has no data, though Prometheus answers a number', async () => {
    metrics.answer(text, [[{}, 0.2]]);
    jobs(window.to - 2 * SCRAPE);
    expect((await measured(query(text))).outcome).toEqual({
      kind: 'NoData',
      reason: expect.stringMatching(/10 s old, more than two scrapes/),
    });
  });

  test('of series that are gone has no data', async () => {
    metrics.answer(text, [[{}, 0.2]]);
    metrics.answer(`max(timestamp(${selector}))`, []);
    expect((await measured(query(text))).outcome).toEqual({
      kind: 'NoData',
      reason: expect.stringMatching(/no new samples/),
    });
  });

  test('may read errors that never happened beside what is new', async () => {
    jobs(window.to);
    const both = '(sum(rate(errors_total[30s])) or vector(0)) / sum(rate(jobs_total[30s]))';
    metrics.answer(both, [[{}, 0]]);
    expect((await measured(query(both))).outcome).toEqual({
      kind: 'Data',
      data: { kind: 'value', candidate: 0 },
    });
  });

  test('that reads no series says nothing of a version', async () => {
    expect((await measured(query('vector(1)'))).outcome).toEqual({
      kind: 'NoData',
      reason: expect.stringMatching(/reads no series/),
    });
  });

  test('with a name that has no value is an error', async () => {
    expect((await measured(query('x{v="{{versoin}}"}'))).outcome).toMatchObject({
      kind: 'Error',
      reason: expect.stringMatching(/versoin/),
    });
  });
});

describe('instances', () => {
  const instances = [
    anInstance('v1', { restarts: 9 }),
    anInstance('v2', { restarts: 1 }),
    anInstance('v2', { state: 'Failed', restarts: 2 }),
  ];

  test('that are up are counted in percent, restarts as they are', async () => {
    expect((await measured(builtin('InstancesUp'), { instances })).outcome).toEqual({
      kind: 'Data',
      data: { kind: 'value', candidate: 50 },
    });
    expect((await measured(builtin('InstanceRestarts'), { instances, condition: compared })).outcome).toEqual(
      {
        kind: 'Data',
        data: { kind: 'value', candidate: 3, baseline: 9 },
      },
    );
    expect(metrics.asked).toEqual([]);
  });

  test('of which none is known are no data, not all of none', async () => {
    expect((await measured(builtin('InstancesUp'), { instances: [] })).outcome).toEqual({
      kind: 'NoData',
      reason: expect.stringMatching(/no instance of v2/),
    });
  });
});

describe('a probe or a webhook', () => {
  const webhook: CheckMetric = { kind: 'webhook', url: 'http://127.0.0.1/confirm', timeout: 1_000 };

  test('answers by itself', async () => {
    const prober = proberThat({ kind: 'refused', detail: 'not on a Friday' });
    expect((await measured(webhook, { prober })).outcome).toEqual({
      kind: 'Data',
      data: { kind: 'answer', answer: 'refused', detail: 'not on a Friday' },
    });
  });

  test('that could not be asked is an error, also where it rejects', async () => {
    expect((await measured(webhook)).outcome).toEqual({ kind: 'Error', reason: 'nobody asked for a prober' });
    const prober = {
      ...proberThat({ kind: 'approved', detail: '' }),
      confirm: () => Promise.reject(new Error('broken')),
    };
    expect((await measured(webhook, { prober })).outcome).toEqual({ kind: 'Error', reason: 'broken' });
  });
});

test('a Prometheus that does not answer is an error, for every metric that asks it', async () => {
  metrics.problem = 'connection refused';
  for (const metric of [
    builtin('SuccessRate'),
    builtin('LatencyP50'),
    { kind: 'query', query: 'sum(x)', args: {} },
    { kind: 'ratio', events: 'x', total: 'y', args: {} },
    { kind: 'histogram', buckets: 'x_bucket', quantile: 0.5, args: {} },
  ] as const) {
    expect((await measured(metric)).outcome).toEqual({ kind: 'Error', reason: 'connection refused' });
  }
});
