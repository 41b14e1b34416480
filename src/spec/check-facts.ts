/** What follows from what a check measures: whether Prometheus is asked, what its value is, who answers, and its defaults. */
import {
  answersByItself,
  asksPrometheus,
  type BuiltinMetric,
  type CheckedStep,
  type CheckMetric,
  type Comparison,
  isTrafficMetric,
} from '../model/check.ts';
import type { Milliseconds } from '../model/instant.ts';

/** What the value of a metric is. `Answer`: it has none, a probe or a webhook answers yes or no. */
export type ValueKind = 'Percentage' | 'Latency' | 'Number' | 'Answer';

const BUILTIN: Readonly<
  Record<
    BuiltinMetric['name'],
    {
      readonly value: Exclude<ValueKind, 'Answer'>;
      readonly bad: Comparison['bad'];
      readonly range: readonly [min: number, max: number];
    }
  >
> = {
  SuccessRate: { value: 'Percentage', bad: 'Decrease', range: [0, 100] },
  LatencyP50: { value: 'Latency', bad: 'Increase', range: [0, Infinity] },
  LatencyP95: { value: 'Latency', bad: 'Increase', range: [0, Infinity] },
  LatencyP99: { value: 'Latency', bad: 'Increase', range: [0, Infinity] },
  RequestRate: { value: 'Number', bad: 'Increase', range: [0, Infinity] },
  ConnectionFailures: { value: 'Percentage', bad: 'Increase', range: [0, 100] },
  InstancesUp: { value: 'Percentage', bad: 'Decrease', range: [0, 100] },
  InstanceRestarts: { value: 'Number', bad: 'Increase', range: [0, Infinity] },
};

/** What the value of a metric is. */
export function valueKind(metric: CheckMetric): ValueKind {
  switch (metric.kind) {
    case 'builtin':
      return BUILTIN[metric.name].value;
    case 'ratio':
      return 'Percentage';
    case 'histogram':
    case 'query':
      return 'Number';
    case 'http':
    case 'grpc':
    case 'command':
    case 'webhook':
      return 'Answer';
  }
}

/** The values that a metric can have, both ends included. */
export function possibleValues(metric: CheckMetric): readonly [min: number, max: number] {
  if (metric.kind === 'builtin') return BUILTIN[metric.name].range;
  if (metric.kind === 'ratio') return [0, 100];
  return [-Infinity, Infinity];
}

/** Whether the metric is made of the requests that the version gets from Envoy. */
export function isOfTraffic(metric: CheckMetric): boolean {
  return metric.kind === 'builtin' && isTrafficMetric(metric.name);
}

/** Whether requests or observations are counted, so that few of them say little. */
function countsSamples(metric: CheckMetric): boolean {
  if (metric.kind === 'builtin') return isOfTraffic(metric) && metric.name !== 'RequestRate';
  return metric.kind === 'ratio' || metric.kind === 'histogram';
}

/** The direction that is bad for a metric that Switchyard knows. */
export function badDirection(metric: CheckMetric): Comparison['bad'] | undefined {
  return metric.kind === 'builtin' ? BUILTIN[metric.name].bad : undefined;
}

/** The smallest effect that matters: half a percentage point, or a tenth. */
export function defaultTolerance(metric: CheckMetric): number {
  return valueKind(metric) === 'Percentage' ? 0.5 : 0.1;
}

/**
 * The steps that a check guards. After the flip the old primary gets no default traffic, so there is nothing to compare
 * with; probes ask before there is any traffic.
 */
export function defaultSteps(metric: CheckMetric, isCompared: boolean): readonly CheckedStep[] {
  if (answersByItself(metric)) return ['Verify'];
  return isCompared ? ['Verify', 'Shift'] : ['Verify', 'Shift', 'Soak'];
}

/** Measurements that a step needs: whoever is asked for a decision is asked for one. */
export function defaultCount(metric: CheckMetric): number {
  return metric.kind === 'webhook' ? 1 : 3;
}

/** Time between two measurements: long enough for three scrapes even where one is late. */
export function defaultInterval(metric: CheckMetric, scrapeInterval: Milliseconds | undefined): Milliseconds {
  return asksPrometheus(metric) && scrapeInterval !== undefined ? 4 * scrapeInterval : 10_000;
}

/** Samples that a verdict needs. */
export function defaultSamples(metric: CheckMetric): number {
  return countsSamples(metric) ? 20 : 1;
}
