/** What lint says of queries; test/e2e/prometheus/promql.test.ts holds it to what a real Prometheus says. */
import { describe, expect, test } from 'vitest';
import { CHECK_NAMES, DRAIN_NAMES, promqlProblem, templateProblem } from '../../../src/spec/promql.ts';

test.each([
  ['', /empty/],
  ['sum(rate(x[5m])', /bracket or an operand is missing/],
  ['rate(up)', /rate\(\) takes a range vector, and up is an instant vector/],
  ['nothing(up)', /nothing\(\) is no function/],
  ['up == ', /missing/],
  ['up{a=b}', /no PromQL from "b}" \(character 6\)/],
  ['histogram_quantile(x)', /takes 2 arguments, not 1/],
  ['1 > 2', /needs bool/],
  ['up{a=~"["}', /no regular expression/],
  ['{a=~".*"}', /selects everything/],
  ['up[5m]', /is a range vector/],
  ['"up"', /is a string/],
])('%s is refused in words', (query, words) => {
  expect(promqlProblem(query)).toMatch(words);
});

test('a query that Prometheus takes has no problem', () => {
  expect(promqlProblem('sum(rate(a{b=~"5.."}[1m])) / sum(rate(a[1m]))')).toBeUndefined();
});

describe('a template', () => {
  const of = (
    template: string,
    as: 'number' | 'selector',
    names: readonly string[] = CHECK_NAMES,
  ): string | undefined => templateProblem({ template, names, args: { code: '5..' }, as });

  test('is checked with values of the usual form', () => {
    expect(of('sum(rate(x{v="{{version}}",c=~"{{args.code}}"}[{{window}}]))', 'number')).toBeUndefined();
    expect(of('x{v="{{version}}"', 'number')).toMatch(/missing/);
  });

  test('with a name that is near to a known one gets it suggested', () => {
    expect(of('x{v="{{versoin}}"}', 'number')).toMatch(/did you mean "version"/);
    expect(of('x{v="{{args.cod}}"}', 'number')).toMatch(/did you mean "args.code"/);
    expect(of('x{v="{{baseline}}"}', 'number', DRAIN_NAMES)).toMatch(/no name/);
  });

  test('whose raw samples are read must be one selector', () => {
    expect(of('x{v="{{version}}"}', 'selector')).toBeUndefined();
    expect(of('rate(x{v="{{version}}"}[1m])', 'selector')).toMatch(/must be one selector/);
    expect(of('x[1m]', 'selector')).toMatch(/range vector/);
  });
});
