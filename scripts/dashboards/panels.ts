/**
 * The few kinds of panels that our dashboards are made of, each with a title, a description, a unit and queries. What
 * a panel looks like is decided here once; what it shows is decided where it is used.
 */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  MappingType,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Query } from './queries.ts';

/** The datasource that the reader chose; no dashboard names one. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** What every panel has. */
export interface PanelFacts {
  readonly title: string;
  /** What it means, and what to do about it; Grafana shows it at the title. */
  readonly description: string;
  /** https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/#unit */
  readonly unit: string;
  /** Of 24. */
  readonly width: number;
  readonly height?: number;
  readonly queries: readonly Query[];
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  /** What stands there while the queries give nothing. */
  readonly noValue?: string;
  /** Texts and colours of numbers. */
  readonly mappings?: readonly ValueMapping[];
  /** The panel is drawn once for each value of this variable. */
  readonly repeat?: string;
  /** From this value on it is red. */
  readonly redFrom?: number;
}

export type PanelBuilder = Builder<Panel>;

/** The colours of words that mean the same everywhere. */
export const COLOURS = {
  good: 'green',
  bad: 'red',
  doubtful: 'orange',
  moving: 'blue',
  still: 'yellow',
  none: 'text',
} as const;
export type Meaning = keyof typeof COLOURS;

/** Texts and colours for the numbers that `coded` gives: 1 for the first, and so on; 0 is `none`. */
export function codes(meanings: Readonly<Record<string, Meaning>>, none = 'none'): ValueMapping[] {
  const words: readonly (readonly [string, Meaning])[] = [[none, 'none'], ...Object.entries(meanings)];
  const options = words.map(([text, meaning], index) => [index, { text, color: COLOURS[meaning], index }]);
  return [{ type: MappingType.ValueToText, options: Object.fromEntries(options) }];
}

/** Texts for 1 and 0. */
export function yesOrNo(yes: readonly [string, Meaning], no: readonly [string, Meaning]): ValueMapping[] {
  const option = ([text, meaning]: readonly [string, Meaning]) => ({ text, color: COLOURS[meaning] });
  return [{ type: MappingType.ValueToText, options: { '1': option(yes), '0': option(no) } }];
}

/** Big numbers or words, one for each series. */
export function stat(facts: PanelFacts): PanelBuilder {
  return common(new Stat(), { height: 4, ...facts })
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .textMode(BigValueTextMode.ValueAndName)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
}

/** Words that are in the names of the series, not in their values. */
export function nameStat(facts: PanelFacts): PanelBuilder {
  return common(new Stat(), { height: 4, ...facts })
    .colorMode(BigValueColorMode.None)
    .graphMode(BigValueGraphMode.None)
    .textMode(BigValueTextMode.Name)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
}

/** Lines over time. */
export function lines(facts: PanelFacts): PanelBuilder {
  return overTime(facts);
}

/** Areas that add up. */
export function stacked(facts: PanelFacts): PanelBuilder {
  return overTime(facts)
    .fillOpacity(40)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
}

/** Which word held when, a row for each series. */
export function timeline(facts: PanelFacts): PanelBuilder {
  return common(new StateTimeline(), { height: 6, ...facts })
    .showValue(VisibilityMode.Auto)
    .mergeValues(true)
    .fillOpacity(70)
    .legend(new VizLegendOptionsBuilder().showLegend(false).displayMode(LegendDisplayMode.List))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Single));
}

/**
 * A table of what is now. Rows are the combinations of the labels in `columns`; each query adds a column named by its
 * legend.
 */
export function table(facts: PanelFacts & { readonly columns: readonly string[] }): PanelBuilder {
  const { queries, columns } = facts;
  const valueNames = queries.map(({ legend }, index) => [`Value #${refId(index)}`, legend] as const);
  const order = [...columns, ...valueNames.map(([name]) => name)];
  const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
  return common(new Table(), { height: 8, ...facts })
    .targets(
      queries.map((query, index) =>
        target(query, index).instant().format(PromQueryFormat.Table).legendFormat(''),
      ),
    )
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'filterFieldsByName', options: { include: { names: order } } })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
        renameByName: Object.fromEntries([
          ...columns.map((name) => [name, capital(name)] as const),
          ...valueNames,
        ]),
      },
    });
}

function overTime(facts: PanelFacts): TimeSeries {
  return (
    common(new TimeSeries(), { height: 8, ...facts })
      .lineWidth(1)
      .fillOpacity(5)
      .showPoints(VisibilityMode.Never)
      .spanNulls(false)
      .legend(
        new VizLegendOptionsBuilder()
          .showLegend(true)
          .displayMode(LegendDisplayMode.List)
          .placement(LegendPlacement.Bottom),
      )
      // oxlint-disable-next-line unicorn/no-array-sort -- the order of lines in a tooltip, not an array
      .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  );
}

/** What is set alike on all kinds. */
function common<Kind extends Stat | StateTimeline | Table | TimeSeries>(
  panel: Kind,
  facts: PanelFacts & { readonly height: number },
): Kind {
  panel
    .title(facts.title)
    .description(facts.description)
    .unit(facts.unit)
    .span(facts.width)
    .height(facts.height)
    .datasource(DATASOURCE)
    .mappings([...(facts.mappings ?? [])])
    .thresholds(thresholds(facts))
    .targets(facts.queries.map((query, index) => target(query, index)));
  if (facts.min !== undefined) panel.min(facts.min);
  if (facts.max !== undefined) panel.max(facts.max);
  if (facts.decimals !== undefined) panel.decimals(facts.decimals);
  if (facts.noValue !== undefined) panel.noValue(facts.noValue);
  if (facts.repeat !== undefined) panel.repeat(facts.repeat).repeatDirection('h').maxPerRow(3);
  return panel;
}

function thresholds({ redFrom }: PanelFacts): ThresholdsConfigBuilder {
  const base = { value: null, color: redFrom === undefined ? COLOURS.none : COLOURS.good };
  const steps = redFrom === undefined ? [base] : [base, { value: redFrom, color: COLOURS.bad }];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}

const refId = (index: number): string => String.fromCharCode('A'.charCodeAt(0) + index);

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(refId(index))
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend)
    .range();
}
