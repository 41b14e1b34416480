/** Checks, measurements and verdicts as messages of the admin API. Pure, like views.ts. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type {
  CheckRunSchema,
  CheckSchema,
  JudgementSchema,
  MeasurementSchema,
  VerdictSchema,
} from '../gen/switchyard/admin/v1/measurements_pb.js';
import type { Check, CheckMetric } from '../model/check.ts';
import type {
  Bucket,
  CheckRun,
  Judgement,
  MeasuredOutcome,
  Measurement,
  Verdict,
} from '../model/measurement.ts';
import { ANSWER, BAD_DIRECTION, CHECK_METRIC, CHECK_STATE, NO_DATA_POLICY, VERDICT_STATE } from './enums.ts';

export function checkToMessage(check: Check): MessageInitShape<typeof CheckSchema> {
  const { limit, comparison } = check.condition;
  return {
    name: check.name,
    metricKind: CHECK_METRIC[check.metric.kind],
    metric: metricText(check.metric),
    ...(limit && { limit }),
    ...(comparison && { comparison: { ...comparison, bad: BAD_DIRECTION[comparison.bad] } }),
    at: [...check.at],
    interval: durationFromMs(check.interval),
    count: check.count,
    initialDelay: durationFromMs(check.initialDelay),
    failureLimit: check.failureLimit,
    inconclusiveLimit: check.inconclusiveLimit,
    consecutiveErrorLimit: check.consecutiveErrorLimit,
    minimumSamples: BigInt(check.minimumSamples),
    noData: NO_DATA_POLICY[check.noData],
    critical: check.critical,
    dryRun: check.dryRun,
    weight: check.weight,
  };
}

function metricText(metric: CheckMetric): string {
  switch (metric.kind) {
    case 'builtin':
      return metric.name;
    case 'query':
      return metric.query;
    case 'ratio':
      return `${metric.events} / ${metric.total}`;
    case 'histogram':
      return `quantile ${metric.quantile} of ${metric.buckets}`;
    case 'http':
      return `${metric.method} ${metric.path}`;
    case 'grpc':
      return `grpc.health.v1 ${metric.service}`.trimEnd();
    case 'command':
      return metric.command.join(' ');
    case 'webhook':
      return metric.url;
  }
}

export function measurementToMessage(measurement: Measurement): MessageInitShape<typeof MeasurementSchema> {
  const { window, outcome, judgement, baseline, at, queries, ...key } = measurement;
  return {
    ...key,
    baseline: baseline ?? '',
    at: timestampFromMs(at),
    windowFrom: timestampFromMs(window.from),
    windowTo: timestampFromMs(window.to),
    queries: [...queries],
    outcome: outcomeToMessage(outcome),
    judgement: judgementToMessage(judgement),
  };
}

type OutcomeInit = NonNullable<
  Extract<MessageInitShape<typeof MeasurementSchema>, { outcome?: unknown }>['outcome']
>;

function outcomeToMessage(outcome: MeasuredOutcome): OutcomeInit {
  if (outcome.kind === 'NoData') return { case: 'noData', value: outcome.reason };
  if (outcome.kind === 'Error') return { case: 'error', value: outcome.reason };
  const { data } = outcome;
  switch (data.kind) {
    case 'value': {
      const { candidate, baseline } = data;
      return { case: 'value', value: { candidate, ...(baseline !== undefined && { baseline }) } };
    }
    case 'ratio': {
      const { candidate, baseline } = data;
      return { case: 'ratio', value: { candidate, ...(baseline && { baseline }) } };
    }
    case 'histogram':
      return {
        case: 'histogram',
        value: {
          candidate: data.candidate.map(bucketToMessage),
          baseline: (data.baseline ?? []).map(bucketToMessage),
        },
      };
    case 'answer':
      return { case: 'answer', value: { answer: ANSWER[data.answer], detail: data.detail } };
  }
}

function bucketToMessage({ upTo, count }: Bucket): { upTo?: number; count: number } {
  return { count, ...(upTo !== null && { upTo }) };
}

function judgementToMessage(judgement: Judgement): MessageInitShape<typeof JudgementSchema> {
  const { state, value, baseline, limit, samples, interval, smallestEffect, because } = judgement;
  return {
    state: CHECK_STATE[state],
    limit,
    because,
    candidateSamples: samples.candidate,
    ...(samples.baseline !== undefined && { baselineSamples: samples.baseline }),
    ...(value !== undefined && { value }),
    ...(baseline !== undefined && { baseline }),
    ...(interval && { interval }),
    ...(smallestEffect !== undefined && { smallestEffect }),
  };
}

export function checkRunToMessage(run: CheckRun): MessageInitShape<typeof CheckRunSchema> {
  const { state, last, nextAt, ...counts } = run;
  return {
    ...counts,
    state: CHECK_STATE[state],
    ...(last && { last: measurementToMessage(last) }),
    ...(nextAt !== undefined && { nextAt: timestampFromMs(nextAt) }),
  };
}

export function verdictToMessage(verdict: Verdict): MessageInitShape<typeof VerdictSchema> {
  const { state, because, deciding, score } = verdict;
  return {
    state: VERDICT_STATE[state],
    because,
    deciding: [...deciding],
    ...(score !== undefined && { score }),
  };
}
