/** The model of checks in, messages of verification.proto out: the reverse of to-model-verification.ts. */
import type { create, MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import * as config from '../gen/switchyard/config/v1/verification_pb.js';
import type { BuiltinMetric, Check, CheckedStep, CheckMetric, Comparison } from '../model/check.ts';
import type { PrometheusSpec, VerificationSpec } from '../model/spec.ts';

/** What `create` takes for a message, apart from a message. */
export type Init<Schema extends Parameters<typeof create>[0]> = Exclude<
  MessageInitShape<Schema>,
  { readonly $typeName: string }
>;

/** The message of spec.verification. */
export function fromVerification(verification: VerificationSpec): Init<typeof config.VerificationSchema> {
  const { prometheus, checks, passScore, marginalScore, soak } = verification;
  return {
    ...(prometheus && { prometheus: fromPrometheus(prometheus) }),
    checks: checks.map(fromCheck),
    passScore,
    marginalScore,
    soak: durationFromMs(soak),
  };
}

/** The message of a Prometheus. */
export function fromPrometheus({
  url,
  scrapeInterval,
  timeout,
}: PrometheusSpec): Init<typeof config.PrometheusSchema> {
  return { url, scrapeInterval: durationFromMs(scrapeInterval), timeout: durationFromMs(timeout) };
}

const BUILTIN = {
  SuccessRate: config.BuiltinMetric.SUCCESS_RATE,
  LatencyP50: config.BuiltinMetric.LATENCY_P50,
  LatencyP95: config.BuiltinMetric.LATENCY_P95,
  LatencyP99: config.BuiltinMetric.LATENCY_P99,
  RequestRate: config.BuiltinMetric.REQUEST_RATE,
  ConnectionFailures: config.BuiltinMetric.CONNECTION_FAILURES,
  InstancesUp: config.BuiltinMetric.INSTANCES_UP,
  InstanceRestarts: config.BuiltinMetric.INSTANCE_RESTARTS,
} as const satisfies Record<BuiltinMetric['name'], config.BuiltinMetric>;

const STEP = {
  Verify: config.CheckedStep.VERIFY,
  Shift: config.CheckedStep.SHIFT,
  Soak: config.CheckedStep.SOAK,
} as const satisfies Record<CheckedStep, config.CheckedStep>;

const NO_DATA = {
  Hold: config.NoData.HOLD,
  Fail: config.NoData.FAIL,
  Pass: config.NoData.PASS,
} as const satisfies Record<Check['noData'], config.NoData>;

const DIRECTION = {
  Increase: config.Direction.INCREASE,
  Decrease: config.Direction.DECREASE,
  Either: config.Direction.EITHER,
} as const satisfies Record<Comparison['bad'], config.Direction>;

function fromCheck(check: Check): Init<typeof config.CheckSchema> {
  const { metric, condition, at, interval, initialDelay, noData, ...same } = check;
  const { limit, comparison } = condition;
  return {
    ...same,
    metric: fromMetric(metric),
    ...(limit && { limit }),
    ...(comparison && {
      compare: {
        bad: DIRECTION[comparison.bad],
        tolerance: comparison.tolerance,
        falseAlarm: comparison.falseAlarm,
        variance: comparison.variance,
      },
    }),
    at: at.map((step) => STEP[step]),
    interval: durationFromMs(interval),
    initialDelay: durationFromMs(initialDelay),
    noData: NO_DATA[noData],
  };
}

function fromMetric(metric: CheckMetric): NonNullable<Init<typeof config.CheckSchema>['metric']> {
  switch (metric.kind) {
    case 'builtin':
      return { case: 'builtin', value: { metric: BUILTIN[metric.name] } };
    case 'query':
      return { case: 'query', value: { promql: metric.query, args: { ...metric.args } } };
    case 'ratio':
      return {
        case: 'ratio',
        value: { events: metric.events, total: metric.total, args: { ...metric.args } },
      };
    case 'histogram': {
      const { buckets, quantile, args } = metric;
      return { case: 'histogram', value: { buckets, quantile, args: { ...args } } };
    }
    case 'http': {
      const { method, path, headers, statuses, timeout } = metric;
      const value = { method, path, headers: { ...headers }, statuses, timeout: durationFromMs(timeout) };
      return { case: 'http', value };
    }
    case 'grpc':
      return { case: 'grpc', value: { service: metric.service, timeout: durationFromMs(metric.timeout) } };
    case 'command': {
      const { command, timeout } = metric;
      return { case: 'command', value: { command: [...command], timeout: durationFromMs(timeout) } };
    }
    case 'webhook':
      return { case: 'webhook', value: { url: metric.url, timeout: durationFromMs(metric.timeout) } };
  }
}
