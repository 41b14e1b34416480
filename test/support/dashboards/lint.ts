/**
 * Our conventions of dashboards, as findings: one sentence for each breach. They follow what Grafana's own linter of
 * dashboards asks for (https://github.com/grafana/dashboard-linter), and what makes ours one set.
 */
import { promqlProblem } from '../../../src/spec/promql.ts';
import { type DashboardModel, filled, type PanelModel, type TargetModel, variablesIn } from './model.ts';
import { groupedBy, keepsAllLabels, selectorsIn } from './promql.ts';

const GRID_WIDTH = 24;
const DATASOURCE = '${datasource}';
const SAMPLE = { rateInterval: '1m', range: '1h' };

/** Every breach; empty where all is well. */
export function lintDashboard(dashboard: DashboardModel): readonly string[] {
  return [
    ...identityFindings(dashboard),
    ...variableFindings(dashboard),
    ...linkFindings(dashboard),
    ...annotationFindings(dashboard),
    ...layoutFindings(dashboard),
    ...panelsOf(dashboard).flatMap(panelFindings),
  ];
}

/** Panels that show something: no rows. */
export function panelsOf({ panels }: DashboardModel): readonly PanelModel[] {
  return panels.filter(({ type }) => type !== 'row');
}

function identityFindings({ uid, title, description, editable, tags }: DashboardModel): string[] {
  return [
    ...when(
      !/^switchyard-[a-z-]+$/.test(uid ?? ''),
      `the uid ${uid} is not stable: it must be switchyard-NAME`,
    ),
    ...when(
      title?.startsWith('Switchyard / ') !== true,
      `the title ${title} must begin with "Switchyard / "`,
    ),
    ...when((description ?? '') === '', 'the dashboard has no description'),
    ...when(editable !== false, 'the dashboard is editable: changes would be lost with the next release'),
    ...when(tags?.includes('switchyard') !== true, 'the tag switchyard is missing: links would not find it'),
  ];
}

function variableFindings(dashboard: DashboardModel): string[] {
  const { list } = dashboard.templating;
  const used = new Set(variablesIn(JSON.stringify({ ...dashboard, description: '' })));
  const declared = new Set(list.map(({ name }) => name));
  const source = list.find(({ name }) => name === 'datasource');
  return [
    ...when(
      source?.type !== 'datasource' || source.query !== 'prometheus',
      'no variable `datasource` chooses a Prometheus',
    ),
    ...list
      .filter(({ type }) => type === 'query')
      .flatMap(({ name, multi, includeAll, datasource }) => [
        ...when(
          multi !== true || includeAll !== true,
          `the variable ${name} must allow several values and all`,
        ),
        ...when(
          datasource?.uid !== DATASOURCE,
          `the variable ${name} does not use the datasource that was chosen`,
        ),
      ]),
    ...[...used]
      .filter((name) => !declared.has(name))
      .map((name) => `the variable ${name} is used and not declared`),
    ...[...declared]
      .filter((name) => !used.has(name))
      .map((name) => `the variable ${name} is declared and not used`),
  ];
}

function linkFindings({ links = [] }: DashboardModel): string[] {
  const ours = links.some(
    ({ type, tags, keepTime, includeVars }) =>
      type === 'dashboards' &&
      tags?.includes('switchyard') === true &&
      keepTime === true &&
      includeVars === true,
  );
  return when(!ours, 'no link leads to our other dashboards with the time and the variables');
}

function annotationFindings({ annotations }: DashboardModel): string[] {
  const list = annotations?.list ?? [];
  return [
    ...['Flip', 'Rollback'].flatMap((change) =>
      when(
        !list.some(
          ({ expr }) =>
            expr?.includes('switchyard_traffic_changes_total') === true &&
            expr.includes(`change="${change}"`),
        ),
        `no annotation marks each ${change}`,
      ),
    ),
    ...list.flatMap(({ name, datasource, expr = '' }) => [
      ...when(
        datasource?.uid !== DATASOURCE,
        `the annotation ${name} does not use the datasource that was chosen`,
      ),
      ...queryFindings(`the annotation ${name}`, expr),
    ]),
  ];
}

function layoutFindings(dashboard: DashboardModel): string[] {
  const { panels } = dashboard;
  const second = panels.findIndex(({ type }, index) => type === 'row' && index > 0);
  const glance = panels.slice(1, second === -1 ? undefined : second);
  const startsAtGlance =
    panels[0]?.type === 'row' && glance.length > 0 && glance.every(({ type }) => type === 'stat');
  return [
    ...when(!startsAtGlance, 'the first row must be the state at a glance: only numbers and words (stat)'),
    ...duplicates(panels.map(({ id }) => id)).map((id) => `the panel id ${id} is there twice, or missing`),
    ...duplicates(panels.map(({ title }) => title)).map((title) => `the title ${title} is there twice`),
    ...panels.flatMap((panel, index) => [
      ...when(panel.gridPos.x + panel.gridPos.w > GRID_WIDTH, `${nameOf(panel)} stands out of the grid`),
      ...panels
        .slice(index + 1)
        .filter((other) => overlap(panel, other))
        .map((other) => `${nameOf(panel)} and ${nameOf(other)} overlap`),
    ]),
  ];
}

function panelFindings(panel: PanelModel): string[] {
  const { title, description, fieldConfig, datasource, targets = [] } = panel;
  const name = nameOf(panel);
  return [
    ...when((title ?? '') === '', `${name} has no title`),
    ...when((description ?? '') === '', `${name} has no description`),
    ...when((fieldConfig?.defaults?.unit ?? '') === '', `${name} has no unit`),
    ...when(datasource?.uid !== DATASOURCE, `${name} does not use the datasource that was chosen`),
    ...when(targets.length === 0, `${name} has no query`),
    ...targets.flatMap((target) => [
      ...when(
        target.datasource?.uid !== DATASOURCE,
        `a query of ${name} does not use the datasource that was chosen`,
      ),
      ...queryFindings(name, target.expr ?? ''),
      ...legendFindings(name, target),
    ]),
  ];
}

function queryFindings(name: string, expr: string): string[] {
  const problem = promqlProblem(filled(expr, SAMPLE));
  if (problem !== undefined) return [`a query of ${name} ${problem}: ${expr}`];
  const windows = [...expr.matchAll(/\[([^\]]*)\]/g)].map(([, window]) => window);
  const fixed = windows.filter((window) => window !== '$__rate_interval' && window !== '$__range');
  return [
    ...fixed.map((window) => `a query of ${name} has the fixed window ${window}: use $__rate_interval`),
    ...selectorsIn(filled(expr, SAMPLE)).flatMap(({ metric, labels }) =>
      when(!labels.includes('job'), `a query of ${name} reads ${metric} of every job`),
    ),
    ...[...expr.matchAll(/\{([^}]*service=[^}]*)\}/g)].flatMap(([, matchers = '']) =>
      when(!matchers.includes('service=~"$service"'), `a query of ${name} names a service: ${matchers}`),
    ),
  ];
}

function legendFindings(name: string, { expr = '', legendFormat = '', instant }: TargetModel): string[] {
  if (instant === true && legendFormat === '') return [];
  if (legendFormat === '') return [`a query of ${name} has no legend`];
  const query = filled(expr, SAMPLE);
  if (promqlProblem(query) !== undefined || keepsAllLabels(query)) return [];
  const kept = groupedBy(query);
  const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  return named
    .filter((label) => !kept.has(label))
    .map((label) => `a legend of ${name} shows the label ${label}, which its query does not keep`);
}

const nameOf = ({ title, id }: PanelModel): string => `the panel "${title ?? id}"`;

const when = (condition: boolean, finding: string): string[] => (condition ? [finding] : []);

function duplicates<Value>(values: readonly Value[]): Value[] {
  return values.filter((value, index) => value === undefined || values.indexOf(value) !== index);
}

function overlap({ gridPos: one }: PanelModel, { gridPos: other }: PanelModel): boolean {
  const apart =
    one.x + one.w <= other.x ||
    other.x + other.w <= one.x ||
    one.y + one.h <= other.y ||
    other.y + other.h <= one.y;
  return !apart;
}
