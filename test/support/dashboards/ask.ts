/** Asks a real Prometheus what Grafana would ask for a panel, and tells what came back in a few words. */
import { eventually } from '../eventually.ts';
import type { PrometheusServer } from '../prometheus.ts';
import { type Filling, filled } from './model.ts';

/** The time that a dashboard shows, in Unix seconds. */
export interface Shown {
  readonly from: number;
  readonly to: number;
  /** Seconds. */
  readonly step: number;
}

/** One series of an answer. */
export interface Answered {
  readonly labels: Readonly<Record<string, string>>;
  /** NaN is among them where Prometheus answered so. */
  readonly values: readonly number[];
}

interface Answer {
  readonly data: {
    readonly resultType: string;
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
      readonly values?: readonly (readonly [number, string])[];
    }[];
  };
}

/** What a query answers over the time shown, as a graph asks. */
export async function askRange(server: PrometheusServer, expr: string, shown: Shown): Promise<Answered[]> {
  const { from, to, step } = shown;
  const query = new URLSearchParams({ query: expr, start: `${from}`, end: `${to}`, step: `${step}` });
  return read(await server.get(`/api/v1/query_range?${query.toString()}`));
}

/** What a query answers now, as a table asks. */
export async function askNow(server: PrometheusServer, expr: string): Promise<Answered[]> {
  return read(await server.get(`/api/v1/query?${new URLSearchParams({ query: expr }).toString()}`));
}

/** The values of a variable `label_values(selector, label)`. */
export async function askLabelValues(
  server: PrometheusServer,
  definition: string,
  filling: Filling,
): Promise<readonly string[]> {
  const [, selector = '', label = ''] =
    /^label_values\((.*), (\w+)\)$/.exec(filled(definition, filling)) ?? [];
  const path = `/api/v1/label/${label}/values?${new URLSearchParams({ 'match[]': selector }).toString()}`;
  return ((await server.get(path)) as { data: readonly string[] }).data;
}

/** Resolves when a query answers a value that the test waits for. */
export async function untilAnswered(server: PrometheusServer, expr: string): Promise<void> {
  await eventually(async () => (await askNow(server, expr)).length > 0, {
    what: `an answer of Prometheus to ${expr}`,
    within: 60_000,
    every: 200,
  });
}

function read(answer: unknown): Answered[] {
  return (answer as Answer).data.result.map(({ metric, value, values }) => ({
    labels: metric,
    values: (values ?? (value === undefined ? [] : [value])).map(([, text]) => Number(text)),
  }));
}
