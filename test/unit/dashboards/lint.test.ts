/** Each convention of dashboards is seen when it is broken. */
import { expect, test } from 'vitest';
import { lintDashboard } from '../../support/dashboards/lint.ts';
import type { DashboardModel, PanelModel } from '../../support/dashboards/model.ts';

const datasource = { uid: '${datasource}' };
const mark = (change: string) => ({
  name: change,
  datasource,
  expr: `increase(switchyard_traffic_changes_total{job=~"$job",change="${change}"}[$__rate_interval]) > 0`,
});
const state: PanelModel = {
  id: 2,
  type: 'stat',
  title: 'State',
  description: 'What it is in.',
  gridPos: { x: 0, y: 1, w: 12, h: 4 },
  datasource,
  fieldConfig: { defaults: { unit: 'none' } },
  targets: [
    {
      refId: 'A',
      expr: 'max by (service) (switchyard_rollout_attempt{job=~"$job",service=~"$service"})',
      legendFormat: '{{service}}',
      datasource,
    },
  ],
};
const query = (name: string) => ({ name, type: 'query', multi: true, includeAll: true, datasource });
const good: DashboardModel = {
  uid: 'switchyard-rollout',
  title: 'Switchyard / Rollout',
  description: 'Rollouts.',
  tags: ['switchyard'],
  editable: false,
  templating: {
    list: [{ name: 'datasource', type: 'datasource', query: 'prometheus' }, query('job'), query('service')],
  },
  annotations: { list: [mark('Flip'), mark('Rollback')] },
  links: [{ type: 'dashboards', tags: ['switchyard'], keepTime: true, includeVars: true }],
  panels: [{ id: 1, type: 'row', title: 'At a glance', gridPos: { x: 0, y: 0, w: 24, h: 1 } }, state],
};

const withPanel = (changed: Partial<PanelModel>): DashboardModel => ({
  ...good,
  panels: [...good.panels.slice(0, 1), { ...state, ...changed }],
});
const withQuery = (expr: string, legendFormat = 'it'): DashboardModel =>
  withPanel({ targets: [...(state.targets ?? []), { expr, legendFormat, datasource }] });
const withVariables = (...list: DashboardModel['templating']['list']): DashboardModel => ({
  ...good,
  templating: { list: [...good.templating.list.slice(0, 2), ...list] },
});

test('a dashboard that follows all of them has no finding', () => {
  expect(lintDashboard(good)).toEqual([]);
});

const breaches: readonly (readonly [string, DashboardModel, RegExp])[] = [
  ['a uid that Grafana chose', { ...good, uid: 'x7Hk2' }, /uid x7Hk2 is not stable/],
  ['a dashboard without a description', { ...good, description: '' }, /no description/],
  ['a dashboard that can be edited', { ...good, editable: true }, /editable/],
  ['a dashboard without our tag', { ...good, tags: [] }, /tag switchyard/],
  ['a title of its own', { ...good, title: 'Rollout' }, /must begin with/],
  [
    'no choice of a datasource',
    { ...good, templating: { list: good.templating.list.slice(1) } },
    /no variable `datasource`/,
  ],
  [
    'a variable for one value',
    withVariables({ ...query('service'), multi: false }),
    /service must allow several/,
  ],
  [
    'a variable without all',
    withVariables({ ...query('service'), includeAll: false }),
    /service must allow several/,
  ],
  [
    'a variable from a fixed datasource',
    withVariables({ ...query('service'), datasource: { uid: 'abc' } }),
    /service does not use the datasource/,
  ],
  [
    'a variable that nobody uses',
    withVariables(query('service'), query('tenant')),
    /tenant is declared and not used/,
  ],
  ['a variable that is not declared', withVariables(), /service is used and not declared/],
  ['no links', { ...good, links: [] }, /no link/],
  [
    'a link that forgets the time',
    { ...good, links: [{ type: 'dashboards', tags: ['switchyard'], includeVars: true }] },
    /no link/,
  ],
  [
    'no mark of rollbacks',
    { ...good, annotations: { list: [mark('Flip')] } },
    /no annotation marks each Rollback/,
  ],
  ['a panel without a title', withPanel({ title: '' }), /no title/],
  ['a panel without a description', withPanel({ description: '' }), /no description/],
  ['a panel without a unit', withPanel({ fieldConfig: { defaults: {} } }), /no unit/],
  ['a panel without a query', withPanel({ targets: [] }), /no query/],
  [
    'a panel with a fixed datasource',
    withPanel({ datasource: { uid: 'abc' } }),
    /does not use the datasource/,
  ],
  ['a first row with a graph', withPanel({ type: 'timeseries' }), /state at a glance/],
  ['a panel out of the grid', withPanel({ gridPos: { x: 20, y: 1, w: 6, h: 4 } }), /out of the grid/],
  ['panels upon each other', withPanel({ gridPos: { x: 0, y: 0, w: 6, h: 4 } }), /overlap/],
  ['a panel id that is there twice', withPanel({ id: 1 }), /id 1 is there twice/],
  [
    'a query that is no PromQL',
    withQuery('sum by (service) (up{job=~"$job"}'),
    /a query of the panel "State"/,
  ],
  ['a fixed window', withQuery('rate(process_cpu_seconds_total{job=~"$job"}[5m])'), /fixed window 5m/],
  ['a query over every job', withQuery('sum(switchyard_ready)'), /reads switchyard_ready of every job/],
  [
    'a service by name',
    withQuery('sum(switchyard_service_alerts{job=~"$job",service="a"})'),
    /names a service/,
  ],
  ['a query without a legend', withQuery('sum(switchyard_ready{job=~"$job"})', ''), /no legend/],
  [
    'a legend of a label that was summed away',
    withQuery('sum by (kind) (switchyard_proxies{job=~"$job"})', '{{kind}} {{state}}'),
    /shows the label state/,
  ],
];

test.each(breaches)('%s is a finding', (_, dashboard, finding) => {
  const findings = lintDashboard(dashboard);
  expect(findings.join('\n')).toMatch(finding);
});
