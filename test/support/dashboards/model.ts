/** The parts of Grafana's classic JSON that our checks read, and queries with Grafana's variables filled in. */

export interface DashboardModel {
  readonly uid?: string;
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly editable?: boolean;
  readonly templating: { readonly list: readonly VariableModel[] };
  readonly annotations?: { readonly list?: readonly AnnotationModel[] };
  readonly links?: readonly LinkModel[];
  readonly panels: readonly PanelModel[];
}

export interface VariableModel {
  readonly name: string;
  readonly type: string;
  readonly query?: unknown;
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly datasource?: DatasourceModel;
}

export interface AnnotationModel {
  readonly name: string;
  readonly expr?: string;
  readonly datasource?: DatasourceModel;
}

interface LinkModel {
  readonly type?: string;
  readonly tags?: readonly string[];
  readonly keepTime?: boolean;
  readonly includeVars?: boolean;
}

export interface PanelModel {
  readonly id?: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly repeat?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: DatasourceModel;
  readonly fieldConfig?: { readonly defaults?: { readonly unit?: string } };
  readonly targets?: readonly TargetModel[];
}

export interface TargetModel {
  readonly refId?: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly datasource?: DatasourceModel;
}

interface DatasourceModel {
  readonly uid?: string;
}

/** What Grafana puts for its variables. Where the reader chose all, the variables of ours are `.+`. */
export interface Filling {
  /** Four scrape intervals, as Grafana counts it. */
  readonly rateInterval: string;
  /** The time that the dashboard shows. */
  readonly range: string;
}

const ALL = '.+';

/** A query as Grafana would send it, with all values of every variable chosen. */
export function filled(expr: string, { rateInterval, range }: Filling): string {
  return expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$__range', range)
    .replaceAll(/\$[a-z_]+/g, ALL);
}

/** The names of variables that a text uses, Grafana's own left out. */
export function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(/\$\{?([a-z][a-z_]*)\}?/g)].map(([, name = '']) => name);
}
