/**
 * What all our dashboards have alike: the variables, the links between them, the marks of flips and rollbacks, and the
 * order of rows. A dashboard is data here; `build` gives Grafana's classic JSON, which versions 10 to 13 load.
 */
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  type Dashboard as DashboardJson,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DATASOURCE, type PanelBuilder } from './panels.ts';
import { ofService } from './queries.ts';

/** One dashboard of ours. */
export interface Dashboard {
  /** Its file is `NAME.json`, its uid `switchyard-NAME`. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly VariableName[];
  /** The first row is the state at a glance. */
  readonly rows: readonly Row[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly PanelBuilder[];
}

/** The variables beside the datasource, each with the query for its values. */
const VARIABLES = {
  job: { label: 'Controller job', query: 'label_values(switchyard_build_info, job)' },
  proxy_job: { label: 'Proxy job', query: 'label_values(envoy_cluster_upstream_rq_total{version!=""}, job)' },
  service: { label: 'Service', query: 'label_values(switchyard_service_generation{job=~"$job"}, service)' },
  check: {
    label: 'Check',
    query: 'label_values(switchyard_rollout_check_state{job=~"$job",service=~"$service"}, check)',
  },
} as const;
export type VariableName = keyof typeof VARIABLES;

const TAG = 'switchyard';
const GRID_WIDTH = 24;

/** Grafana's classic JSON model of a dashboard. */
export function build({ name, title, description, variables, rows }: Dashboard): DashboardJson {
  const builder = new DashboardBuilder(title)
    .uid(`switchyard-${name}`)
    .description(description)
    .tags([TAG])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Datasource').type('prometheus'))
    .link(
      new DashboardLinkBuilder('Switchyard')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    );
  for (const variable of variables) builder.withVariable(variableBuilder(variable));
  for (const mark of marks()) builder.annotation(mark);
  const dashboard = builder.build();
  return { ...dashboard, panels: laidOut(rows) };
}

function variableBuilder(name: VariableName): QueryVariableBuilder {
  const { label, query } = VARIABLES[name];
  return (
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(DATASOURCE)
      .query({ query, refId: name })
      .definition(query)
      .multi(true)
      .includeAll(true)
      .allValue('.+')
      .current({ selected: true, text: ['All'], value: ['$__all'] })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      // oxlint-disable-next-line unicorn/no-array-sort -- the order of a variable's values, not an array
      .sort(VariableSort.AlphabeticalAsc)
  );
}

/** Lines across all panels at the times at which the default traffic went to another version. */
function marks(): AnnotationQueryBuilder[] {
  const mark = (change: 'Flip' | 'Rollback', colour: string): AnnotationQueryBuilder => {
    const moved = ofService('switchyard_traffic_changes_total', `change="${change}"`);
    return new AnnotationQueryBuilder()
      .name(`${change}s`)
      .datasource(DATASOURCE)
      .enable(true)
      .iconColor(colour)
      .expr(`sum by (service) (increase(${moved}[$__rate_interval])) > 0`)
      .titleFormat(change)
      .textFormat(`${change} of {{service}}`)
      .tagKeys('service');
  };
  return [mark('Flip', 'blue'), mark('Rollback', 'red')];
}

/** Numbers the panels and places them row by row, from left to right. */
function laidOut(rows: readonly Row[]): Panel[] {
  const placed: Panel[] = [];
  let y = 0;
  const place = (panel: Panel, x: number, w: number, h: number): void => {
    placed.push({ ...panel, id: placed.length + 1, gridPos: { x, y, w, h } });
  };
  for (const { title, panels } of rows) {
    place(new RowBuilder(title).build(), 0, GRID_WIDTH, 1);
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const panel of panels.map((each) => each.build())) {
      const { w, h } = panel.gridPos ?? { w: GRID_WIDTH, h: 8 };
      if (x + w > GRID_WIDTH) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      place(panel, x, w, h);
      x += w;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return placed;
}
