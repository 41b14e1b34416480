/** Rules read metrics that exist, say what is wrong and what to do, and each has tests of both kinds. */
import { describe, expect, test } from 'vitest';
import { promqlProblem } from '../../../src/spec/promql.ts';
import { knownLabels } from '../../support/dashboards/known-labels.ts';
import { groupedBy, selectorsIn } from '../../support/dashboards/promql.ts';
import { allExpectations, allRules } from '../../support/dashboards/rules.ts';

const rules = allRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);
const recorded = new Set(rules.map(({ record }) => record));

test.each(rules)('$name reads only what exists', async ({ expr }) => {
  expect(promqlProblem(expr)).toBeUndefined();
  const labelsOf = await knownLabels();
  for (const { metric, labels } of selectorsIn(expr)) {
    if (recorded.has(metric)) continue;
    const known = labelsOf(metric);
    expect({ metric, exists: known !== undefined }).toEqual({ metric, exists: true });
    expect(labels.filter((label) => known?.includes(label) === false)).toEqual([]);
  }
  const known = new Set(
    selectorsIn(expr).flatMap(({ metric }) => labelsOf(metric) ?? ['service', 'version']),
  );
  expect([...groupedBy(expr)].filter((label) => !known.has(label))).toEqual([]);
});

describe.each(alerts)('$alert', ({ alert, expr, labels, annotations = {} }) => {
  test('has a severity, a summary, what it means, and what to do', () => {
    expect(alert).toMatch(/^Switchyard[A-Z][A-Za-z]+$/);
    expect(['critical', 'warning']).toContain(labels?.['severity']);
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'action']);
    expect(annotations['description']).toMatch(/\.$/);
  });

  test('shows no label that its expression does not keep', () => {
    const shown = [
      ...Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g),
    ].map(([, label]) => label);
    const kept = groupedBy(expr);
    expect(shown.filter((label = '') => !kept.has(label))).toEqual([]);
  });

  test('is tested to fire, and not to fire', () => {
    const expectations = allExpectations().filter(({ alertname }) => alertname === alert);
    expect(expectations.some(({ exp_alerts = [] }) => exp_alerts.length > 0)).toBe(true);
    expect(expectations.some(({ exp_alerts = [] }) => exp_alerts.length === 0)).toBe(true);
  });
});

test('every recording rule is tested', () => {
  const tested = allExpectations().flatMap(({ expr = '' }) => selectorsIn(expr === '' ? 'up' : expr));
  const names = new Set(tested.map(({ metric }) => metric));
  expect([...recorded].filter((name = '') => name !== '' && !names.has(name))).toEqual([]);
});
