/** The shape in which it is kept how a version is verified: its checks, with every default filled in. */
import {
  BUILTIN_METRICS,
  CHECKED_STEPS,
  type Check,
  type CheckCondition,
  type CheckMetric,
  type Comparison,
  type Limit,
} from '../../model/check.ts';
import type { PrometheusSpec, VerificationSpec } from '../../model/spec.ts';
import {
  count,
  dictionary,
  length,
  list,
  number,
  object,
  oneOf,
  optional,
  type Shape,
  tagged,
  text,
  truth,
} from './shape.ts';

const args = dictionary(text);

const metric: Shape<CheckMetric> = tagged<CheckMetric>({
  builtin: { name: oneOf(...BUILTIN_METRICS) },
  query: { query: text, args },
  ratio: { events: text, total: text, args },
  histogram: { buckets: text, quantile: length, args },
  http: {
    method: text,
    path: text,
    headers: dictionary(text),
    statuses: object({ from: count, to: count }),
    timeout: length,
  },
  grpc: { service: text, timeout: length },
  command: { command: list(text), timeout: length },
  webhook: { url: text, timeout: length },
});

const condition: Shape<CheckCondition> = object<CheckCondition>({
  limit: optional(object<Limit>({ min: optional(number), max: optional(number) })),
  comparison: optional(
    object<Comparison>({
      bad: oneOf('Increase', 'Decrease', 'Either'),
      tolerance: number,
      falseAlarm: length,
      variance: truth,
    }),
  ),
});

const check: Shape<Check> = object<Check>({
  name: text,
  metric,
  condition,
  at: list(oneOf(...CHECKED_STEPS)),
  interval: length,
  count,
  initialDelay: length,
  failureLimit: count,
  inconclusiveLimit: count,
  consecutiveErrorLimit: count,
  minimumSamples: length,
  noData: oneOf('Hold', 'Fail', 'Pass'),
  critical: truth,
  dryRun: truth,
  weight: length,
});

/** Reads a stored PrometheusSpec. */
export const storedPrometheus: Shape<PrometheusSpec> = object<PrometheusSpec>({
  url: text,
  scrapeInterval: length,
  timeout: length,
});

/** Reads a stored VerificationSpec. */
export const storedVerification: Shape<VerificationSpec> = object<VerificationSpec>({
  prometheus: optional(storedPrometheus),
  checks: list(check),
  passScore: length,
  marginalScore: length,
  soak: length,
});
