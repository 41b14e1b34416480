/**
 * Checks as a spec declares them: what is measured, what is good, how often, and what becomes of a measurement that
 * failed, could not be made, or had too few samples. verification/ judges; controller/ measures through ports.
 */
import type { Milliseconds } from './instant.ts';

/** The steps of a rollout at which checks run. Webhooks and probes are checks too, so that one judge decides. */
export const CHECKED_STEPS = ['Verify', 'Shift', 'Soak'] as const;
export type CheckedStep = (typeof CHECKED_STEPS)[number];

/** One measured condition of a gate. */
export interface Check {
  /** Unique within the service. */
  readonly name: string;
  readonly metric: CheckMetric;
  readonly condition: CheckCondition;
  /** The steps that it guards. */
  readonly at: readonly CheckedStep[];
  /** Time between two measurements. */
  readonly interval: Milliseconds;
  /** Measurements with data that a step needs; at Soak the check goes on until the soak ends. */
  readonly count: number;
  /** Time after the beginning of a step's window before the first measurement. */
  readonly initialDelay: Milliseconds;
  /** Failed measurements that are tolerated in a step: more than this many fail the check. */
  readonly failureLimit: number;
  /** Inconclusive measurements that are tolerated in a step. */
  readonly inconclusiveLimit: number;
  /** Errors in a row that are tolerated: more than this many make the check Error. */
  readonly consecutiveErrorLimit: number;
  /** Samples (requests, observations) that a verdict needs on each side that is compared. */
  readonly minimumSamples: number;
  /** What a measurement with too few samples means. `Hold`: the gate waits, and is Inconclusive at its deadline. */
  readonly noData: 'Hold' | 'Fail' | 'Pass';
  /** A critical check that fails fails the gate; others only lower its score. */
  readonly critical: boolean;
  /** True: measured, judged and shown, but it decides nothing. */
  readonly dryRun: boolean;
  /** Its share of the gate's score, above 0. */
  readonly weight: number;
}

/** What a check measures. Texts are templates: `{{service}}`, `{{version}}`, `{{baseline}}`, `{{window}}`, `{{args.NAME}}`. */
export type CheckMetric =
  | BuiltinMetric
  /** A PromQL query that answers one number. `{{version}}` is the candidate, and the baseline when that side is measured. */
  | { readonly kind: 'query'; readonly query: string; readonly args: Arguments }
  /** Selectors of counters, read as raw samples for each instance: events among all. Its value is a percentage. */
  | { readonly kind: 'ratio'; readonly events: string; readonly total: string; readonly args: Arguments }
  /** A selector of a classic histogram's `_bucket` series. Its value is the quantile, in the histogram's unit. */
  | {
      readonly kind: 'histogram';
      readonly buckets: string;
      /** Between 0 and 1. */
      readonly quantile: number;
      readonly args: Arguments;
    }
  | ProbeMetric
  /** Asks somebody else: 2xx approves, 403 refuses (the check fails), anything else means not yet. */
  | { readonly kind: 'webhook'; readonly url: string; readonly timeout: Milliseconds };

/** Values for `{{args.NAME}}`. */
export type Arguments = Readonly<Record<string, string>>;

/**
 * Envoy's own statistics of a version's cluster, as Prometheus scraped them, or the runtime's view of its instances.
 * `SuccessRate` and `ConnectionFailures`: percent; latencies: milliseconds; `RequestRate`: requests each second;
 * `InstancesUp`: percent of the instances that are ready; `InstanceRestarts`: restarts of the instances that are up.
 */
export const BUILTIN_METRICS = [
  'SuccessRate',
  'LatencyP50',
  'LatencyP95',
  'LatencyP99',
  'RequestRate',
  'ConnectionFailures',
  'InstancesUp',
  'InstanceRestarts',
] as const;
export interface BuiltinMetric {
  readonly kind: 'builtin';
  readonly name: (typeof BUILTIN_METRICS)[number];
}

/** A synthetic request straight to every ready instance of the candidate; it passes when all answer well. */
export type ProbeMetric =
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Statuses that pass. */
      readonly statuses: { readonly from: number; readonly to: number };
      readonly timeout: Milliseconds;
    }
  /** `grpc.health.v1` answers SERVING. */
  | { readonly kind: 'grpc'; readonly service: string; readonly timeout: Milliseconds }
  /**
   * A program without a shell; `${version}`, `${service}` and `${address}` are replaced in each argument. Exit status 0
   * passes. Only with `--allow-commands`.
   */
  | { readonly kind: 'command'; readonly command: readonly string[]; readonly timeout: Milliseconds };

/** The built-in metrics that Envoy's statistics answer; the runtime answers the others. */
export type TrafficMetric = Exclude<BuiltinMetric['name'], 'InstancesUp' | 'InstanceRestarts'>;

/** Whether a built-in metric is made of the requests that a version gets from Envoy. */
export function isTrafficMetric(name: BuiltinMetric['name']): name is TrafficMetric {
  return name !== 'InstancesUp' && name !== 'InstanceRestarts';
}

/** What somebody answers by yes or no: there is nothing to bound or to compare, and no window to wait for. */
export type AnsweredMetric = ProbeMetric | Extract<CheckMetric, { kind: 'webhook' }>;

/** Whether a probe or a webhook answers by itself. */
export function answersByItself(metric: CheckMetric): metric is AnsweredMetric {
  switch (metric.kind) {
    case 'http':
    case 'grpc':
    case 'command':
    case 'webhook':
      return true;
    case 'builtin':
    case 'query':
    case 'ratio':
    case 'histogram':
      return false;
  }
}

/** Whether Prometheus is asked. */
export function asksPrometheus(metric: CheckMetric): boolean {
  return metric.kind === 'builtin' ? isTrafficMetric(metric.name) : !answersByItself(metric);
}

/** What is good: at least one of both; lint refuses a check without. Probes and webhooks have neither: they answer by themselves. */
export interface CheckCondition {
  readonly limit?: Limit;
  readonly comparison?: Comparison;
}

/** Bounds of the candidate's value, both inclusive, in the metric's unit. At least one is given. */
export interface Limit {
  readonly min?: number;
  readonly max?: number;
}

/** The candidate against the baseline (the primary), with an error rate that holds however often one looks. */
export interface Comparison {
  /** The direction that is bad. */
  readonly bad: 'Increase' | 'Decrease' | 'Either';
  /**
   * The smallest effect that matters. For percentages in percentage points; for latencies and numbers relative to the
   * baseline: 0.1 is a tenth more.
   */
  readonly tolerance: number;
  /** The chance, over all looks of a step, to fail a candidate that is as good as the baseline: 0.05 is one in twenty. */
  readonly falseAlarm: number;
  /** Whether a growth of the spread alone fails too (latencies and numbers). */
  readonly variance: boolean;
}

/** The states of a check within one step of one attempt. */
export const CHECK_STATES = [
  'Pending',
  'Running',
  'Passed',
  'Failed',
  'Error',
  'Inconclusive',
  'NoData',
  'Skipped',
] as const;
export type CheckState = (typeof CHECK_STATES)[number];
