/** Every query of a dashboard reads metrics that exist, by labels that they have. */
import { expect, test } from 'vitest';
import { dashboardFiles } from '../../../scripts/dashboards/all.ts';
import { knownLabels } from '../../support/dashboards/known-labels.ts';
import { panelsOf } from '../../support/dashboards/lint.ts';
import { type DashboardModel, filled } from '../../support/dashboards/model.ts';
import { groupedBy, selectorsIn } from '../../support/dashboards/promql.ts';

function queriesOf(text: string): readonly string[] {
  const dashboard = JSON.parse(text) as DashboardModel;
  const queries = [
    ...panelsOf(dashboard).flatMap(({ targets = [] }) => targets.map(({ expr = '' }) => expr)),
    ...(dashboard.annotations?.list ?? []).map(({ expr = '' }) => expr),
  ];
  return queries.map((expr) => filled(expr, { rateInterval: '1m', range: '1h' }));
}

test.each(dashboardFiles())('$file reads only what exists', async ({ text }) => {
  const labelsOf = await knownLabels();
  const unknown = queriesOf(text).flatMap((query) => {
    const selectors = selectorsIn(query);
    const known = new Set(selectors.flatMap(({ metric }) => labelsOf(metric) ?? []));
    return [
      ...selectors.filter(({ metric }) => labelsOf(metric) === undefined).map(({ metric }) => metric),
      ...selectors.flatMap(({ metric, labels }) =>
        labels
          .filter((label) => labelsOf(metric)?.includes(label) === false)
          .map((label) => `${metric}{${label}}`),
      ),
      ...[...groupedBy(query)].filter((label) => !known.has(label)).map((label) => `by (${label}): ${query}`),
    ];
  });
  expect(unknown).toEqual([]);
});

test('a metric or a label that does not exist is seen', async () => {
  const labelsOf = await knownLabels();
  expect(labelsOf('switchyard_rollout_phase')).toBeUndefined();
  expect(labelsOf('switchyard_rollout_state_bucket')).toBeUndefined();
  expect(labelsOf('process_uptime')).toBeUndefined();
  expect(labelsOf('switchyard_rollout_state')).not.toContain('version');
  expect(labelsOf('switchyard_xds_acknowledgement_seconds_bucket')).toContain('le');
});
