/** Rules between the fields of spec.verification: part of the table in message-rules.ts. */
import * as config from '../gen/switchyard/config/v1/config_pb.js';
import * as verification from '../gen/switchyard/config/v1/verification_pb.js';
import { answersByItself, asksPrometheus } from '../model/check.ts';
import { badDirection } from './check-facts.ts';
import { faultIf, type MessageFault, type MessageRule, rule } from './message-rule.ts';
import { toMetric } from './to-model-verification.ts';

const METRICS = ['builtin', 'query', 'ratio', 'histogram', 'http', 'grpc', 'command', 'webhook'];

export const VERIFICATION_MESSAGE_RULES: readonly MessageRule[] = [
  rule(verification.VerificationSchema, ['passScore', 'marginalScore'], ({ passScore, marginalScore }) =>
    faultIf(
      (marginalScore ?? 0) > passScore,
      'marginalScore',
      () => `${marginalScore} must not be above passScore, ${passScore}`,
    ),
  ),
  rule(verification.VerificationSchema, ['checks', 'prometheus'], prometheusIsNamed),
  rule(verification.CheckSchema, [...METRICS, 'limit', 'compare'], conditionFits),
  rule(verification.CheckSchema, [...METRICS, 'compare'], directionIsKnown),
  rule(verification.LimitSchema, ['min', 'max'], ({ min, max }) =>
    min === undefined && max === undefined
      ? [{ field: '', message: 'bounds nothing: write min, max or both' }]
      : faultIf(
          min !== undefined && max !== undefined && min > max,
          'max',
          () => `${max} must not be below min, ${min}`,
        ),
  ),
  rule(verification.StatusRangeSchema, ['from', 'to'], ({ from, to }) =>
    faultIf(to < from, 'to', () => `${to} must not be below from, ${from}`),
  ),
  rule(config.VersionedServiceSpecSchema, ['pin', 'verification'], probesAddThePinThemselves),
];

function prometheusIsNamed({ checks, prometheus }: verification.Verification): readonly MessageFault[] {
  if (prometheus !== undefined) return [];
  return checks.flatMap(({ metric }, index) => {
    const measured = toMetric(metric);
    return faultIf(
      measured !== undefined && asksPrometheus(measured),
      `checks[${index}].${metric.case}`,
      () => 'asks Prometheus: write where it is, spec.verification.prometheus: {url: ...}',
    );
  });
}

function conditionFits({ metric, limit, compare }: verification.Check): readonly MessageFault[] {
  const measured = toMetric(metric);
  if (measured === undefined) return [];
  if (!answersByItself(measured))
    return faultIf(
      limit === undefined && compare === undefined,
      '',
      () => 'has no condition, so it could never fail: write limit, compare or both',
    );
  const condition = limit === undefined ? 'compare' : 'limit';
  return faultIf(
    limit !== undefined || compare !== undefined,
    condition,
    () => `has no value to judge: ${metric.case} answers by itself; leave ${condition} out`,
  );
}

function directionIsKnown({ metric, compare }: verification.Check): readonly MessageFault[] {
  const measured = toMetric(metric);
  if (measured === undefined || answersByItself(measured)) return [];
  return faultIf(
    compare !== undefined && compare.bad === undefined && badDirection(measured) === undefined,
    'compare.bad',
    () => 'is required here: write which direction is bad, Increase, Decrease or Either',
  );
}

function probesAddThePinThemselves({
  pin,
  verification: verify,
}: config.VersionedServiceSpec): readonly MessageFault[] {
  const own = [pin?.header, pin?.markerHeader];
  return (verify?.checks ?? []).flatMap(({ metric }, index) =>
    metric.case === 'http'
      ? Object.keys(metric.value.headers)
          .filter((name) => own.includes(name))
          .map((name) => ({
            field: `verification.checks[${index}].http.headers.${name}`,
            message: `is a header of the pin, which probes carry by themselves: leave it out`,
          }))
      : [],
  );
}
