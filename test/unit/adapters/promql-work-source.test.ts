/** Open work by PromQL: a number where every instance has shown one, and a zero behind the fence only where it is sure (rule 8). */
import { beforeEach, describe, expect, test } from 'vitest';
import { createPromqlWorkSource } from '../../../src/adapters/promql-work-source/work-source.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { DrainSource } from '../../../src/model/spec.ts';
import type { WorkCount, WorkRequest } from '../../../src/ports/work-source.ts';
import { anInstance } from '../../support/records.ts';
import { ScriptedMetrics } from '../../support/scripted-metrics.ts';

const SCRAPE = 1_000;
const NOW = 1_000_000;
const source: Extract<DrainSource, { kind: 'promql' }> = {
  kind: 'promql',
  query: 'open_work{version="{{version}}"}',
  prometheus: { url: 'http://127.0.0.1:9090', scrapeInterval: SCRAPE, timeout: 1_000 },
  instanceLabel: 'instance',
  quietFor: 3_000,
};
const QUIET = 'max_over_time((open_work{version="v1"})[3000ms:1000ms])';
const instances: readonly Instance[] = [1, 2].map((port) =>
  anInstance('v1', { address: { host: '127.0.0.1', port } }),
);

let metrics: ScriptedMetrics;
beforeEach(() => {
  metrics = new ScriptedMetrics();
});

/** What an instance showed, scrape by scrape up to now. */
function showed(port: number, values: readonly number[], until = NOW): void {
  const series = `open_work{version="v1",instance="127.0.0.1:${port}"}`;
  metrics.addAll(series, until - (values.length - 1) * SCRAPE, SCRAPE, values);
}

function count(replaced: Partial<WorkRequest> = {}): Promise<WorkCount> {
  const clock = { now: () => instant(NOW), sleep: () => Promise.reject(new Error('it does not wait')) };
  return createPromqlWorkSource({ metricSource: metrics, clock }).count({
    source,
    service: serviceName('manager'),
    version: versionName('v1'),
    instances,
    peers: [],
    signal: new AbortController().signal,
    ...replaced,
  });
}

const unknown = (reason: RegExp): WorkCount => ({
  kind: 'unknown',
  reason: expect.stringMatching(reason) as string,
});

/** What the last seconds showed, instance by instance. */
function mostWas(...most: readonly number[]): void {
  metrics.answer(
    QUIET,
    most.map((value, index) => [{ instance: `127.0.0.1:${index + 1}` }, value] as const),
  );
}

test('the shares of all instances add up, as of the oldest of their newest samples', async () => {
  showed(1, [3, 2, 2]);
  showed(2, [5, 5, 4], NOW - 700);
  expect(await count()).toEqual({
    kind: 'counted',
    asOf: NOW - 700,
    total: 6,
    open: [],
    certificate: 'observed',
  });
});

test('an instance that nobody runs any more counts as long as it shows work', async () => {
  showed(1, [0, 0]);
  showed(2, [0, 0]);
  showed(3, [7, 7]);
  expect(await count()).toMatchObject({ kind: 'counted', total: 7 });
});

test('a fence and its end have nobody to tell', async () => {
  const clock = { now: () => instant(NOW), sleep: () => Promise.resolve() };
  const work = createPromqlWorkSource({ metricSource: metrics, clock });
  const request = {
    source,
    service: serviceName('manager'),
    version: versionName('v1'),
    instances,
    peers: [],
    signal: new AbortController().signal,
  };
  expect([await work.fence(request), await work.lift(request)]).toEqual([
    { kind: 'confirmed' },
    { kind: 'confirmed' },
  ]);
  expect(metrics.asked).toEqual([]);
});

describe('a zero behind the fence', () => {
  const fencedSince = instant(NOW - 4_000);
  const zeros = [0, 0, 0, 0, 0, 0];

  test('counts where every instance showed it twice since then, for as long as is wanted', async () => {
    showed(1, zeros);
    showed(2, zeros);
    mostWas(0, 0);
    expect(await count({ fencedSince })).toEqual({
      kind: 'counted',
      asOf: NOW,
      total: 0,
      open: [],
      certificate: 'observed',
    });
  });

  test('is not known where an instance was scraped only once since then', async () => {
    showed(1, zeros);
    showed(2, [0, 0, 0, 0, 0]);
    mostWas(0, 0);
    const late = { fencedSince: instant(NOW - 500), source: { ...source, quietFor: 0 } };
    expect(await count(late)).toEqual(
      unknown(/127.0.0.1:1 has not been scraped twice since the version was fenced/),
    );
  });

  test('is not known before it has lasted as long as is wanted', async () => {
    showed(1, zeros);
    showed(2, zeros);
    mostWas(0, 0);
    expect(await count({ fencedSince: instant(NOW - 2_000) })).toEqual(
      unknown(/must stay so for another 1 s/),
    );
  });

  test('is not known where there was work within that time', async () => {
    showed(1, zeros);
    showed(2, [0, 0, 0, 1, 0, 0]);
    mostWas(0, 1);
    expect(await count({ fencedSince })).toEqual(unknown(/was not within the last 3 s: 1 on 127.0.0.1:2/));
  });

  test('is not known where an instance is missing from that time', async () => {
    showed(1, zeros);
    showed(2, zeros);
    mostWas(0);
    expect(await count({ fencedSince })).toEqual(unknown(/no answer for 127.0.0.1:2/));
  });
});

describe('the open work is not known', () => {
  test('where an instance has no answer', async () => {
    showed(1, [0, 0]);
    expect(await count()).toEqual(unknown(/has no answer for 127.0.0.1:2 \(label instance\)/));
  });

  test('where the samples of an instance are old, though Prometheus goes on answering with them', async () => {
    showed(1, [0, 0]);
    showed(2, [0, 0, 0], NOW - 2 * SCRAPE);
    expect(await count()).toEqual(unknown(/no sample for 2 s/));
    metrics = new ScriptedMetrics();
    showed(1, [0, 0]);
    showed(2, [0, 0, 0], NOW - 60 * SCRAPE);
    expect(await count()).toEqual(unknown(/no new samples of 127.0.0.1:2/));
  });

  test.each([
    ['no number', Number.NaN],
    ['below zero', -1],
    ['infinite', Number.POSITIVE_INFINITY],
  ])('where a value is %s', async (_, value) => {
    showed(1, [0, value]);
    showed(2, [0, 0]);
    expect(await count()).toEqual(unknown(/counts no open work/));
  });

  test('where the answer does not tell instances apart', async () => {
    const query = 'sum(open_work{version="{{version}}"})';
    showed(1, [0, 0]);
    showed(2, [0, 0]);
    metrics.answer('sum(open_work{version="v1"})', [[{}, 0]]);
    expect(await count({ source: { ...source, query } })).toEqual(
      unknown(/without the label instance; add: by \(instance\)/),
    );
  });

  test('where no instance is known, the query reads nothing, or has an unknown name', async () => {
    expect(await count({ instances: [] })).toEqual(unknown(/no instance of the version is known/));
    expect(await count({ source: { ...source, query: 'vector(0)' } })).toEqual(unknown(/reads no series/));
    expect(await count({ source: { ...source, query: 'x{v="{{baseline}}"}' } })).toEqual(unknown(/baseline/));
  });

  test('where Prometheus does not answer', async () => {
    metrics.problem = 'connection refused';
    expect(await count()).toEqual(unknown(/connection refused/));
  });
});
