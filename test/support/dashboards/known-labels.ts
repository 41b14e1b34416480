/**
 * Which labels a series of a metric can have: ours from the registry, Envoy's as a real one exports them with our
 * bootstrap (test/e2e/dashboards.test.ts asks a real one).
 */
import { allMetrics, type MetricFacts, ourMetrics } from '../all-metrics.ts';

/** What Prometheus adds to every series. */
const OF_TARGET = ['job', 'instance'];
const OF_CLUSTER = ['envoy_cluster_name', 'service', 'version', 'mirror', 'envoy_response_code_class'];
const OF_LISTENER = ['envoy_http_conn_manager_prefix'];

/** The labels of a series by its name; undefined: there is no such metric. */
export type KnownLabels = (series: string) => readonly string[] | undefined;

export async function knownLabels(): Promise<KnownLabels> {
  const metrics = allMetrics();
  const ours = new Map((await ourMetrics(metrics)).map((facts) => [facts.name, facts]));
  const all = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name));
  return (series) => {
    if (/^envoy_cluster_\w+$/.test(series)) return [...OF_TARGET, ...OF_CLUSTER, 'le'];
    if (/^envoy_http_\w+$/.test(series)) return [...OF_TARGET, ...OF_LISTENER, 'le'];
    if (/^(process|nodejs)_/.test(series)) return all.has(series) ? OF_TARGET : undefined;
    const found = ours.get(series) ?? histogramOf(ours, series);
    if (found === undefined) return undefined;
    return [...OF_TARGET, ...found.labels, ...(series.endsWith('_bucket') ? ['le'] : [])];
  };
}

function histogramOf(ours: ReadonlyMap<string, MetricFacts>, series: string): MetricFacts | undefined {
  const metric = ours.get(series.replace(/_(bucket|sum|count)$/, ''));
  return metric?.type === 'histogram' ? metric : undefined;
}
