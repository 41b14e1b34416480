/**
 * What the built-in metrics ask of Prometheus: Envoy's own statistics of a version's cluster, as its `/stats/prometheus`
 * writes them (https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats).
 * They are read as raw samples, so a question is made of plain selectors.
 */
import type { TrafficMetric } from '../model/check.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import { promqlLiteral, promqlString } from './templates.ts';

/** What is counted, in selectors of counters. */
export type CounterQuestion =
  /** Events among the sum of all that is listed under `total`. */
  | { readonly kind: 'ratio'; readonly events: string; readonly total: readonly [string, ...string[]] }
  /** How fast a counter grows. */
  | { readonly kind: 'rate'; readonly counter: string }
  /** The buckets of a classic histogram. */
  | { readonly kind: 'histogram'; readonly buckets: string };

/** Whose statistics are read. */
export interface TrafficSide {
  readonly service: ServiceName;
  readonly version: VersionName;
  /** True: requests that were copied to the version count too. Envoy keeps them apart, in a cluster of their own. */
  readonly withCopies: boolean;
}

/** The question of a built-in metric for one version. */
export function builtinQuestion(name: TrafficMetric, side: TrafficSide): CounterQuestion {
  switch (name) {
    case 'SuccessRate': {
      // Answers by class, Envoy's own answers for a version that cannot be reached among them. Retries count once.
      const answers = 'envoy_cluster_upstream_rq_xx';
      return {
        kind: 'ratio',
        events: selector(answers, side, 'envoy_response_code_class!="5"'),
        total: [selector(answers, side)],
      };
    }
    case 'ConnectionFailures': {
      // Of all attempts: what was sent, over new or kept connections, and what found no connection to be sent over.
      const failures = selector('envoy_cluster_upstream_cx_connect_fail', side);
      return {
        kind: 'ratio',
        events: failures,
        total: [selector('envoy_cluster_upstream_rq_total', side), failures],
      };
    }
    case 'RequestRate':
      return { kind: 'rate', counter: selector('envoy_cluster_upstream_rq_total', side) };
    case 'LatencyP50':
    case 'LatencyP95':
    case 'LatencyP99':
      return { kind: 'histogram', buckets: selector('envoy_cluster_upstream_rq_time_bucket', side) };
  }
}

/** Names are matched exactly: a version never reads the statistics of another whose name begins like its own. */
function selector(metric: string, { service, version, withCopies }: TrafficSide, more?: string): string {
  const cluster = `${service}__${version}`;
  const labels = [
    withCopies
      ? `envoy_cluster_name=~${promqlString(`${promqlLiteral(cluster)}(__mirror)?`)}`
      : `envoy_cluster_name=${promqlString(cluster)}`,
    ...(more === undefined ? [] : [more]),
  ];
  return `${metric}{${labels.join(',')}}`;
}
