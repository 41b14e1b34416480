/** What lint says of a query, beside what a real Prometheus says of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { promqlProblem } from '../../../src/spec/promql.ts';
import { type PrometheusServer, startPrometheus } from '../../support/prometheus.ts';

let prometheus: PrometheusServer;
beforeAll(async () => {
  prometheus = await startPrometheus({ jobs: [] });
});
afterAll(() => prometheus?.stop());

/** Why Prometheus refuses a query; undefined: it takes it, though it may have nothing to answer. */
async function refusal(query: string): Promise<string | undefined> {
  const form = new URLSearchParams({ query });
  const response = await fetch(`${prometheus.url}/api/v1/query`, { method: 'POST', body: form });
  const answer = (await response.json()) as { status: string; errorType?: string; error?: string };
  return answer.errorType === 'bad_data' ? answer.error : undefined;
}

const FUNCTIONS =
  `abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp clamp_max
  clamp_min cos cosh count_over_time day_of_month day_of_week day_of_year days_in_month deg delta deriv exp floor
  histogram_quantile histogram_count histogram_fraction histogram_sum hour idelta increase irate label_join
  label_replace last_over_time ln log10 log2 max_over_time min_over_time minute month pi predict_linear
  present_over_time quantile_over_time rad rate resets round scalar sgn sin sinh sort sort_desc sqrt stddev_over_time
  stdvar_over_time sum_over_time tan tanh time timestamp vector year sum avg min max count group stddev stdvar topk
  bottomk quantile count_values`.split(/\s+/);
const ARGUMENTS = [
  '',
  'x',
  'x[5m]',
  '1',
  '"a"',
  'x[5m:1m]',
  'x, 1',
  '1, x',
  '1, x[5m]',
  'x[5m], 1',
  '"a", x',
  'x, 1, 2',
  '1, 2, x',
  'x[5m], 0.5, 0.5',
  'x, "a", ","',
  'x, "a", ",", "b"',
  'x, "a", "$1", "b", "(.*)"',
  'x, x',
  'x, "a"',
];
/** Functions that older releases in use do not have, and that newer ones have dropped. */
const NOT_IN_ALL = /unknown function|experimental/;

test('a function with arguments is refused where Prometheus refuses it, and taken where it takes it', async () => {
  const differences: string[] = [];
  for (const name of FUNCTIONS) {
    for (const given of ARGUMENTS) {
      const query = `${name}(${given})`;
      const said = await refusal(query);
      if (said !== undefined && NOT_IN_ALL.test(said)) continue;
      const ours = promqlProblem(query);
      if ((said === undefined) !== (ours === undefined))
        differences.push(`${query}: Prometheus says ${said ?? 'yes'}, lint says ${ours ?? 'yes'}`);
    }
  }
  expect(differences).toEqual([]);
});

const QUERIES = [
  'up',
  'up{',
  'up{}',
  '{}',
  '{a=""}',
  '{a=~".*"}',
  '{a=~".+"}',
  '{a!=""}',
  '{a!~".*"}',
  '{__name__="up"}',
  'up{a="b",}',
  'up{a=~"["}',
  'up{a=~"(?i)b"}',
  'up{a="b"} == 1',
  '1 == 1',
  '1 == bool 1',
  'up == bool 1',
  'up and 1',
  'up and up',
  'up or on(a) up',
  '1 + on(a) up',
  'up + on(a) group_left up',
  'up unless ignoring(a) up',
  '-up',
  '-"a"',
  '+1',
  '1 ^ 2',
  'sum(up) by (a)',
  'sum by (a) (up)',
  'sum without(a) (up)',
  'sum by (up)',
  'sum(up) by',
  'rate(up[5m])',
  'rate(up[5m:])',
  'rate(up[5m:1m])',
  'rate(up[0s])',
  'rate(up[5x])',
  'rate(up[1h30m])',
  'up offset 5m',
  'up offset -5m',
  'rate(up[5m] offset 1m)',
  'rate(up[5m]) offset 1m',
  'up @ 100',
  'up @ end()',
  '(up',
  'up)',
  'up up',
  'up 1',
  'up{a="b"}}',
  '"a',
  "'a' + 1",
  "up{a='b'}",
  'up{a=`b`}',
  '1e3',
  '0x1f',
  'Inf',
  'NaN',
  'up > 1 > 2',
  'up atan2 up',
  'up % 2',
  'up # a comment',
  'nothing(up)',
  'sum(rate(a{b=~"5.."}[1m])) / sum(rate(a[1m]))',
  '(sum(a) or vector(0)) / sum(b)',
  'up{1="a"}',
  'up{a=b}',
  'histogram_quantile(0.9, sum by (le) (rate(x_bucket[30s])))',
  'max_over_time((sum(up))[1m:5s])',
  'sum(up[5m])',
  'up / bool up',
];

test.each(QUERIES)('%s is refused where Prometheus refuses it', async (query) => {
  const said = await refusal(query);
  const ours = promqlProblem(query);
  expect(ours === undefined, `Prometheus says ${said ?? 'yes'}, lint says ${ours ?? 'yes'}`).toBe(
    said === undefined,
  );
});
