/** What a measurement of counters says, from scripted samples: growth of both sides, or why it is not known. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { CheckMetric } from '../../../src/model/check.ts';
import { instant } from '../../../src/model/instant.ts';
import type { RolloutRecord } from '../../../src/model/rollout.ts';
import {
  builtin,
  compared,
  measured as measuredFrom,
  rolloutFrom,
  SCRAPE,
  window,
} from '../../support/measured.ts';
import { anInstance, aTraffic, aVerification } from '../../support/records.ts';
import { ScriptedMetrics } from '../../support/scripted-metrics.ts';

let metrics: ScriptedMetrics;
beforeEach(() => {
  metrics = new ScriptedMetrics();
});
const measured = (
  metric: Parameters<typeof measuredFrom>[1],
  replaced?: Parameters<typeof measuredFrom>[2],
): ReturnType<typeof measuredFrom> => measuredFrom(metrics, metric, replaced);

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

  test('counts the copies that a candidate gets while it is verified, and those of no other version', async () => {
    answers('v2', '2', [0, 0, 1, 2, 3, 4, 5, 6]);
    answers('v2__mirror', '5', [0, 0, 0, 0, 0, 0, 1, 1]);
    answers('v2__mirror2', '5', [0, 0, 0, 0, 0, 0, 9, 9]);
    const traffic = aTraffic({ mirror: { percent: 10, methods: ['GET'], grpcMethods: [] } });
    const at = (step: 'Verify' | 'Soak'): Partial<RolloutRecord> => ({
      step: { kind: step },
      policy: { traffic, verification: aVerification() },
    });
    expect(await measured(builtin('SuccessRate'), { rollout: rolloutFrom(at('Verify')) })).toMatchObject({
      outcome: { data: { candidate: { events: 6, total: 7 } } },
    });
    expect(await measured(builtin('SuccessRate'), { rollout: rolloutFrom(at('Soak')) })).toMatchObject({
      outcome: { data: { candidate: { events: 6, total: 6 } } },
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
