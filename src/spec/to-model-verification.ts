/** Messages of verification.proto in, the model of checks out, with the defaults that depend on what a check measures. */
import * as config from '../gen/switchyard/config/v1/verification_pb.js';
import type {
  Arguments,
  Check,
  CheckCondition,
  CheckedStep,
  CheckMetric,
  Comparison,
  Limit,
} from '../model/check.ts';
import type { Milliseconds } from '../model/instant.ts';
import type { PrometheusSpec, VerificationSpec } from '../model/spec.ts';
import {
  badDirection,
  defaultCount,
  defaultInterval,
  defaultSamples,
  defaultSteps,
  defaultTolerance,
} from './check-facts.ts';
import { given } from './given.ts';
import { milliseconds } from './leaf.ts';

/** The model of a message without faults. */
export function toVerification(message: config.Verification): VerificationSpec {
  const { checks, passScore, marginalScore, soak } = message;
  const prometheus = message.prometheus && toPrometheus(message.prometheus);
  return {
    ...(prometheus && { prometheus }),
    checks: checks.map((check) => toCheck(check, prometheus?.scrapeInterval)),
    passScore,
    marginalScore: marginalScore ?? passScore,
    soak: milliseconds(soak),
  };
}

/** The model of a Prometheus. */
export function toPrometheus({ url, scrapeInterval, timeout }: config.Prometheus): PrometheusSpec {
  return { url, scrapeInterval: milliseconds(scrapeInterval), timeout: milliseconds(timeout) };
}

const BUILTIN = {
  [config.BuiltinMetric.UNSPECIFIED]: undefined,
  [config.BuiltinMetric.SUCCESS_RATE]: 'SuccessRate',
  [config.BuiltinMetric.LATENCY_P50]: 'LatencyP50',
  [config.BuiltinMetric.LATENCY_P95]: 'LatencyP95',
  [config.BuiltinMetric.LATENCY_P99]: 'LatencyP99',
  [config.BuiltinMetric.REQUEST_RATE]: 'RequestRate',
  [config.BuiltinMetric.CONNECTION_FAILURES]: 'ConnectionFailures',
  [config.BuiltinMetric.INSTANCES_UP]: 'InstancesUp',
  [config.BuiltinMetric.INSTANCE_RESTARTS]: 'InstanceRestarts',
} as const;

const STEP = {
  [config.CheckedStep.UNSPECIFIED]: undefined,
  [config.CheckedStep.VERIFY]: 'Verify',
  [config.CheckedStep.SHIFT]: 'Shift',
  [config.CheckedStep.SOAK]: 'Soak',
} as const satisfies Record<config.CheckedStep, CheckedStep | undefined>;

const NO_DATA = {
  [config.NoData.UNSPECIFIED]: undefined,
  [config.NoData.HOLD]: 'Hold',
  [config.NoData.FAIL]: 'Fail',
  [config.NoData.PASS]: 'Pass',
} as const satisfies Record<config.NoData, Check['noData'] | undefined>;

const DIRECTION = {
  [config.Direction.UNSPECIFIED]: undefined,
  [config.Direction.INCREASE]: 'Increase',
  [config.Direction.DECREASE]: 'Decrease',
  [config.Direction.EITHER]: 'Either',
} as const satisfies Record<config.Direction, Comparison['bad'] | undefined>;

function toCheck(message: config.Check, scrapeInterval: Milliseconds | undefined): Check {
  const metric = given(toMetric(message.metric));
  const { at, interval, compare } = message;
  return {
    name: message.name,
    metric,
    condition: toCondition(message, metric),
    at: at.length > 0 ? at.map((step) => given(STEP[step])) : defaultSteps(metric, compare !== undefined),
    interval: interval === undefined ? defaultInterval(metric, scrapeInterval) : milliseconds(interval),
    count: message.count ?? defaultCount(metric),
    initialDelay: milliseconds(message.initialDelay),
    failureLimit: message.failureLimit,
    inconclusiveLimit: message.inconclusiveLimit,
    consecutiveErrorLimit: message.consecutiveErrorLimit,
    minimumSamples: message.minimumSamples ?? defaultSamples(metric),
    noData: given(NO_DATA[message.noData]),
    critical: message.critical,
    dryRun: message.dryRun,
    weight: message.weight,
  };
}

/** What a check measures, or undefined where the document says nothing or something wrong of it. */
export function toMetric(metric: config.Check['metric']): CheckMetric | undefined {
  switch (metric.case) {
    case undefined:
      return undefined;
    case 'builtin': {
      const name = BUILTIN[metric.value.metric];
      return name && { kind: 'builtin', name };
    }
    case 'query':
      return { kind: 'query', query: metric.value.promql, args: toArguments(metric.value.args) };
    case 'ratio': {
      const { events, total, args } = metric.value;
      return { kind: 'ratio', events, total, args: toArguments(args) };
    }
    case 'histogram': {
      const { buckets, quantile, args } = metric.value;
      return { kind: 'histogram', buckets, quantile, args: toArguments(args) };
    }
    case 'http': {
      const { method, path, headers, statuses, timeout } = metric.value;
      return {
        kind: 'http',
        method,
        path,
        headers: { ...headers },
        statuses: { from: statuses?.from ?? 0, to: statuses?.to ?? 0 },
        timeout: milliseconds(timeout),
      };
    }
    case 'grpc':
      return { kind: 'grpc', service: metric.value.service, timeout: milliseconds(metric.value.timeout) };
    case 'command':
      return { kind: 'command', command: metric.value.command, timeout: milliseconds(metric.value.timeout) };
    case 'webhook':
      return { kind: 'webhook', url: metric.value.url, timeout: milliseconds(metric.value.timeout) };
  }
}

function toArguments(args: Readonly<Record<string, string>>): Arguments {
  return { ...args };
}

function toCondition({ limit, compare }: config.Check, metric: CheckMetric): CheckCondition {
  return {
    ...(limit && { limit: toLimit(limit) }),
    ...(compare && { comparison: toComparison(compare, metric) }),
  };
}

function toLimit({ min, max }: config.Limit): Limit {
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
}

function toComparison(
  { bad, tolerance, falseAlarm, variance }: config.Compare,
  metric: CheckMetric,
): Comparison {
  return {
    bad: given(bad === undefined ? badDirection(metric) : DIRECTION[bad]),
    tolerance: tolerance ?? defaultTolerance(metric),
    falseAlarm,
    variance,
  };
}
