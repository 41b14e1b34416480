/** What a measurement says, from scripted samples: data of both sides, or why there is none. It never rejects. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Measured, type MeasureInput, measure } from '../../../src/controller/measure.ts';
import type { Check, CheckMetric } from '../../../src/model/check.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { RolloutRecord } from '../../../src/model/rollout.ts';
import type { ProbeAnswer, Prober } from '../../../src/ports/prober.ts';
import { aCheck, anInstance, aRecord, aSpec, aVerification } from '../../support/records.ts';
import { aRollout } from '../../support/rollout-records.ts';
import { ScriptedMetrics } from '../../support/scripted-metrics.ts';

const SCRAPE = 5_000;
const window = { from: instant(1_000_000), to: instant(1_030_000) };
const service = serviceName('manager');
const [v1, v2] = [versionName('v1'), versionName('v2')];

let metrics: ScriptedMetrics;
beforeEach(() => {
  metrics = new ScriptedMetrics();
});

/** A series of a proxy, with a sample each scrape from one before the window on. */
function proxySeries(name: string, labels: Record<string, string>, values: readonly number[]): void {
  const all = { ...labels, job: 'envoy', instance: '127.0.0.1:9901' };
  const text = Object.entries(all).map(([label, value]) => `${label}="${value}"`);
  metrics.addAll(`${name}{${text.join(',')}}`, window.from - SCRAPE, SCRAPE, values);
}
const answers = (version: string, code: string, values: readonly number[]): void =>
  proxySeries(
    'envoy_cluster_upstream_rq_xx',
    { envoy_cluster_name: `manager__${version}`, envoy_response_code_class: code },
    values,
  );

const compared: Check['condition'] = {
  comparison: { bad: 'Either', tolerance: 0, falseAlarm: 0.05, variance: false },
};

function measured(
  metric: CheckMetric,
  replaced: Partial<MeasureInput> & { condition?: Check['condition'] } = {},
): Promise<Measured> {
  const { condition = { limit: { min: 99 } }, ...others } = replaced;
  const rollout: RolloutRecord = {
    ...aRollout(),
    service,
    version: v2,
    baseline: v1,
    policy: { ...aRollout().policy, verification: aVerification() },
  };
  return measure({
    check: aCheck({ metric, condition }),
    record: aRecord({ spec: aSpec() }),
    rollout,
    window,
    instances: [],
    metricSource: metrics,
    prober: proberThat({ kind: 'error', reason: 'nobody asked for a prober' }),
    signal: new AbortController().signal,
    ...others,
  });
}

function proberThat(answer: ProbeAnswer): Prober {
  return { probe: async () => answer, confirm: async () => answer };
}

const builtin = (name: Extract<CheckMetric, { kind: 'builtin' }>['name']): CheckMetric => ({
  kind: 'builtin',
  name,
});

describe('the success rate', () => {
  test('counts answers that are no server error among all, of this version alone', async () => {
    answers('v2', '2', [10, 10, 20, 30, 40, 50, 60, 100]);
    answers('v2', '5', [0, 0, 1, 2, 3, 4, 5, 6]);
    answers('v20', '5', [0, 0, 100, 200, 300, 400, 500, 600]);
    const { outcome, queries } = await measured(builtin('SuccessRate'));
    expect(outcome).toEqual({ kind: 'Data', data: { kind: 'ratio', candidate: { events: 90, total: 96 } } });
    expect(queries).toContain('envoy_cluster_upstream_rq_xx{envoy_cluster_name="manager__v2"}[45s]');
  });

  test('counts the first errors of a version that had no request before', async () => {
    // The first sample lies within the window: nobody had asked this version before.
    metrics = shiftedBirth();
    const { outcome } = await measured(builtin('SuccessRate'));
    expect(outcome).toEqual({ kind: 'Data', data: { kind: 'ratio', candidate: { events: 0, total: 4 } } });
  });

  test('has no data where no proxy has shown the version', async () => {
    const { outcome } = await measured(builtin('SuccessRate'));
    expect(outcome).toEqual({
      kind: 'NoData',
      reason: expect.stringMatching(/no series envoy_cluster_upstream_rq_xx/),
    });
  });

  test('is measured of the baseline too where it is compared', async () => {
    answers('v2', '2', [0, 0, 1, 2, 3, 4, 5, 6]);
    answers('v1', '2', [0, 0, 10, 20, 30, 40, 50, 60]);
    answers('v1', '5', [0, 0, 0, 0, 0, 0, 0, 1]);
    const { outcome } = await measured(builtin('SuccessRate'), { condition: compared });
    expect(outcome).toEqual({
      kind: 'Data',
      data: { kind: 'ratio', candidate: { events: 6, total: 6 }, baseline: { events: 60, total: 61 } },
    });
  });

  test('of a baseline without data does not hide the candidate where that has a limit', async () => {
    answers('v2', '5', [0, 0, 1, 2, 3, 4, 5, 6]);
    const both = { limit: { min: 99 }, ...compared };
    expect(await measured(builtin('SuccessRate'), { condition: both })).toMatchObject({
      outcome: { kind: 'Data', data: { candidate: { events: 0, total: 6 } } },
    });
    expect(await measured(builtin('SuccessRate'), { condition: compared })).toMatchObject({
      outcome: { kind: 'NoData' },
    });
  });

  test('has no data while a proxy that showed the version cannot be scraped', async () => {
    answers('v2', '2', [0, 0, 1, 2, 3, 4, 5, 6]);
    metrics.addAll(
      'envoy_cluster_upstream_rq_xx{envoy_cluster_name="manager__v2",job="envoy",instance="b:1"}',
      800_000,
      SCRAPE,
      [1, 1],
    );
    metrics.addAll('up{job="envoy",instance="b:1"}', window.from, SCRAPE, [0, 0, 0, 0, 0, 0, 0]);
    metrics.addAll('up{job="other",instance="c:1"}', window.from, SCRAPE, [0, 0, 0, 0, 0, 0, 0]);
    const { outcome } = await measured(builtin('SuccessRate'));
    expect(outcome).toEqual({
      kind: 'NoData',
      reason: expect.stringMatching(/cannot scrape envoy b:1, which had/),
    });
  });
});

/** One proxy that is scraped all the time, and shows the version for the first time within the window. */
function shiftedBirth(): ScriptedMetrics {
  const own = new ScriptedMetrics();
  own.addAll(
    'up{job="envoy",instance="127.0.0.1:9901"}',
    window.from - SCRAPE,
    SCRAPE,
    [1, 1, 1, 1, 1, 1, 1, 1],
  );
  own.addAll(
    'envoy_cluster_upstream_rq_xx{envoy_cluster_name="manager__v2",envoy_response_code_class="5",job="envoy",instance="127.0.0.1:9901"}',
    window.from + 2 * SCRAPE,
    SCRAPE,
    [3, 3, 3, 4, 4],
  );
  return own;
}

test('connection failures are counted among all attempts, of new and of kept connections', async () => {
  const cluster = { envoy_cluster_name: 'manager__v2' };
  proxySeries('envoy_cluster_upstream_rq_total', cluster, [0, 0, 10, 20, 30, 40, 50, 57]);
  proxySeries('envoy_cluster_upstream_cx_connect_fail', cluster, [1, 1, 1, 2, 3, 3, 3, 4]);
  expect((await measured(builtin('ConnectionFailures'))).outcome).toEqual({
    kind: 'Data',
    data: { kind: 'ratio', candidate: { events: 3, total: 60 } },
  });
});

test('the request rate is requests for each second', async () => {
  proxySeries(
    'envoy_cluster_upstream_rq_total',
    { envoy_cluster_name: 'manager__v2' },
    [0, 0, 10, 20, 30, 40, 50, 60],
  );
  expect((await measured(builtin('RequestRate'))).outcome).toEqual({
    kind: 'Data',
    data: { kind: 'value', candidate: 2 },
  });
});

test('a latency is measured as observations by bucket', async () => {
  const bucket = (le: string, values: readonly number[]): void =>
    proxySeries('envoy_cluster_upstream_rq_time_bucket', { envoy_cluster_name: 'manager__v2', le }, values);
  bucket('5', [1, 1, 1, 1, 1, 1, 1, 3]);
  bucket('10', [1, 1, 2, 2, 2, 2, 2, 6]);
  bucket('+Inf', [1, 1, 2, 2, 2, 2, 2, 7]);
  expect((await measured(builtin('LatencyP99'))).outcome).toEqual({
    kind: 'Data',
    data: {
      kind: 'histogram',
      candidate: [
        { upTo: 5, count: 2 },
        { upTo: 10, count: 3 },
        { upTo: null, count: 1 },
      ],
    },
  });
});

describe('a ratio of selectors', () => {
  const ratio: CheckMetric = {
    kind: 'ratio',
    events: 'jobs_total{version="{{version}}",result="{{args.bad}}"}',
    total: 'jobs_total{version="{{version}}"}',
    args: { bad: 'failed' },
  };
  const jobs = (
    instance: string,
    result: string,
    values: readonly number[],
    from: number = window.from - SCRAPE,
  ): void =>
    metrics.addAll(
      `jobs_total{version="v2",result="${result}",job="app",instance="${instance}"}`,
      from,
      SCRAPE,
      values,
    );
  const instances = [1, 2].map((port) => anInstance('v2', { address: { host: '127.0.0.1', port } }));

  test('counts events that never happened as none, where the total is there', async () => {
    jobs('127.0.0.1:1', 'done', [0, 0, 1, 2, 3, 4, 5, 6]);
    expect((await measured(ratio)).outcome).toEqual({
      kind: 'Data',
      data: { kind: 'ratio', candidate: { events: 0, total: 6 } },
    });
  });

  test('has no data while an instance that others are told apart from has no series', async () => {
    jobs('127.0.0.1:1', 'done', [0, 0, 1, 2, 3, 4, 5, 6]);
    expect((await measured(ratio, { instances })).outcome).toEqual({
      kind: 'NoData',
      reason: expect.stringMatching(/no series of 127.0.0.1:2/),
    });
    jobs('127.0.0.1:2', 'failed', [0, 0, 0, 0, 1, 1, 1, 2]);
    expect((await measured(ratio, { instances })).outcome).toMatchObject({
      data: { candidate: { events: 2, total: 8 } },
    });
  });

  test('an instance that became ready a moment ago is not missed yet', async () => {
    jobs('127.0.0.1:1', 'done', [0, 0, 1, 2, 3, 4, 5, 6]);
    const fresh = anInstance('v2', {
      address: { host: '127.0.0.1', port: 2 },
      since: instant(window.to - SCRAPE),
    });
    expect((await measured(ratio, { instances: [...instances.slice(0, 1), fresh] })).outcome.kind).toBe(
      'Data',
    );
  });

  test('takes no event of a scrape that the total does not have', async () => {
    jobs('127.0.0.1:1', 'done', [0, 0, 1, 2, 3, 4, 5]);
    jobs('127.0.0.1:1', 'failed', [0, 0, 0, 0, 1, 1, 1]);
    // A scrape ends after the total was read: only the events are newer.
    const late = `jobs_total{version="v2",result="failed",job="app",instance="127.0.0.1:1"}`;
    const samples = metrics.samples.bind(metrics);
    metrics.samples = async (asked) => {
      const answer = await samples(asked);
      if (!asked.selector.includes('result')) metrics.add(late, window.to - 1, 50);
      return answer;
    };
    expect((await measured(ratio)).outcome).toMatchObject({ data: { candidate: { events: 1, total: 6 } } });
  });

  test('is an error where events are not part of the total', async () => {
    jobs('127.0.0.1:1', 'done', [0, 0, 1, 2, 3, 4, 5, 6]);
    jobs('127.0.0.1:1', 'failed', [0, 0, 1, 1, 1, 1, 1, 9]);
    const wrong: CheckMetric = { ...ratio, total: 'jobs_total{version="{{version}}",result="done"}' };
    expect((await measured(wrong)).outcome).toEqual({
      kind: 'Error',
      reason: expect.stringMatching(/part of the total/),
    });
  });
});

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
