/** What every MetricSource promises: samples as they are, and a reason where there are none to be had (rule 10). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Instant } from '../../src/model/instant.ts';
import type { PrometheusSpec } from '../../src/model/spec.ts';
import type { MetricSource, Series } from '../../src/ports/metric-source.ts';

/**
 * A metric source whose server has scraped `contract_total` with the label `kind`: of kind `grows` each scrape one
 * more, of kind `stays` always 7, of kind `none` never a number; and no `nothing_total`.
 */
export interface MetricSourceUnderTest {
  readonly source: MetricSource;
  readonly server: PrometheusSpec;
  /** A time by which all kinds had been scraped at least five times, and which is over. */
  readonly at: Instant;
  /** The same where nobody answers. */
  readonly unreachable: { readonly source: MetricSource; readonly server: PrometheusSpec };
  close(): Promise<void>;
}

export function metricSourceContract(name: string, start: () => Promise<MetricSourceUnderTest>): void {
  describe(`${name}, as a MetricSource`, () => {
    let world: MetricSourceUnderTest;
    beforeAll(async () => {
      world = await start();
    });
    afterAll(() => world?.close());
    const { signal } = new AbortController();
    const query = (text: string) =>
      world.source.query({ server: world.server, query: text, at: world.at, signal });
    const samples = (selector: string, from: number, to: number) =>
      world.source.samples({
        server: world.server,
        selector,
        from: from as Instant,
        to: to as Instant,
        signal,
      });
    const seriesOf = async (selector: string, from: number, to: number): Promise<readonly Series[]> => {
      const answer = await samples(selector, from, to);
      if (answer.kind === 'error') throw new Error(answer.reason);
      return answer.series;
    };

    test('an expression answers one element for each series, with its labels', async () => {
      expect(await query('contract_total{kind="stays"}')).toMatchObject({
        kind: 'vector',
        elements: [{ labels: { __name__: 'contract_total', kind: 'stays' }, at: world.at, value: 7 }],
      });
      expect(await query('contract_total')).toMatchObject({ elements: { length: 3 } });
    });

    test('a scalar is one element without labels', async () => {
      expect(await query('12')).toEqual({
        kind: 'vector',
        elements: [{ labels: {}, at: world.at, value: 12 }],
      });
    });

    test('what is not there is an empty answer, not an error', async () => {
      expect(await query('nothing_total')).toEqual({ kind: 'vector', elements: [] });
      expect(await samples('nothing_total', world.at - 60_000, world.at)).toEqual({
        kind: 'series',
        series: [],
      });
    });

    test('what is not a number is said to be none', async () => {
      expect(await query('contract_total{kind="none"}')).toMatchObject({ elements: [{ value: Number.NaN }] });
      const [none] = await seriesOf('contract_total{kind="none"}', world.at - 60_000, world.at);
      expect(none?.samples.every(({ value }) => Number.isNaN(value))).toBe(true);
    });

    test('raw samples are those that were scraped, oldest first, and nothing in between', async () => {
      const [grows, ...others] = await seriesOf('contract_total{kind="grows"}', world.at - 60_000, world.at);
      expect(others).toEqual([]);
      const values = grows?.samples.map(({ value }) => value) ?? [];
      expect(values.length).toBeGreaterThanOrEqual(5);
      expect(values).toEqual(values.map((_, index) => (values[0] ?? 0) + index));
      const times = grows?.samples.map(({ at }) => at) ?? [];
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    });

    test('a range begins after its first time and ends with its last', async () => {
      const [all] = await seriesOf('contract_total{kind="grows"}', world.at - 60_000, world.at);
      const times = all?.samples.map(({ at }) => at) ?? [];
      const [first = 0, second = 0, third = 0] = times;
      const [part] = await seriesOf('contract_total{kind="grows"}', first, third);
      expect(part?.samples.map(({ at }) => at)).toEqual([second, third]);
    });

    test('series are told apart by their labels', async () => {
      const series = await seriesOf('contract_total{kind!="none"}', world.at - 60_000, world.at);
      expect(series).toHaveLength(2);
      expect(new Set(series.map(({ labels }) => labels['kind']))).toEqual(new Set(['grows', 'stays']));
    });

    test('what the server refuses is an error with its reason', async () => {
      expect(await query('sum(contract_total')).toMatchObject({
        kind: 'error',
        reason: expect.stringMatching(/bad_data/),
      });
    });

    test('a question that is taken back is an error, and rejects nothing', async () => {
      const aborted = { server: world.server, signal: AbortSignal.abort() };
      expect(await world.source.query({ ...aborted, query: '1', at: world.at })).toMatchObject({
        kind: 'error',
      });
      const range = { selector: 'contract_total', from: 0 as Instant, to: world.at };
      expect(await world.source.samples({ ...aborted, ...range })).toMatchObject({ kind: 'error' });
    });

    test('a server that does not answer is an error with a reason, never an empty answer', async () => {
      const { source, server } = world.unreachable;
      const error = { kind: 'error', reason: expect.stringMatching(/./) };
      expect(await source.query({ server, query: '1', at: world.at, signal })).toEqual(error);
      const range = { selector: 'contract_total', from: 0 as Instant, to: 60_000 as Instant };
      expect(await source.samples({ server, ...range, signal })).toEqual(error);
      await expect(source.version(server, signal)).rejects.toThrow(/./);
    });

    test('the server says its version', async () => {
      expect(await world.source.version(world.server, signal)).toMatch(/^\d+\.\d+\.\d+/);
    });
  });
}
