/** Rules between the fields of traffic, retention and drain: part of the table in message-rules.ts. */
import * as config from '../gen/switchyard/config/v1/config_pb.js';
import * as rollouts from '../gen/switchyard/config/v1/traffic_pb.js';
import { faultIf, type MessageFault, type MessageRule, rule } from './message-rule.ts';

export const ROLLOUT_MESSAGE_RULES: readonly MessageRule[] = [
  rule(rollouts.TrafficSchema, ['steps'], ({ steps }) => stepsThatRise(steps)),
  rule(rollouts.TrafficSchema, ['steps', 'approvals'], approvalsAreSteps),
  rule(rollouts.CohortSchema, ['tenants', 'headers'], ({ tenants, headers }) =>
    faultIf(
      tenants.length + headers.length === 0,
      '',
      () => 'chooses nobody: list tenants or headers, or leave it out',
    ),
  ),
  rule(rollouts.CohortSchema, ['headers'], distinctCohortHeaders),
  rule(rollouts.MirrorSchema, ['methods', 'grpcMethods'], ({ methods, grpcMethods }) =>
    faultIf(
      methods.length + grpcMethods.length === 0,
      'methods',
      () => 'copies nothing: list methods or grpcMethods, or leave the mirror out',
    ),
  ),
  rule(rollouts.RetentionSchema, ['keep', 'max'], ({ keep, max }) =>
    faultIf(max < keep, 'max', () => `${max} must not be below keep, ${keep}`),
  ),
  rule(config.VersionedServiceSpecSchema, ['tenantKey', 'traffic'], ({ tenantKey, traffic }) =>
    faultIf(
      tenantKey === undefined && (traffic?.cohort?.tenants.length ?? 0) > 0,
      'traffic.cohort.tenants',
      () => 'needs tenantKey: without it no request names its tenant',
    ),
  ),
  rule(config.VersionedServiceSpecSchema, ['pin', 'tenantKey', 'traffic'], cohortHeadersAreFree),
  rule(config.VersionedServiceSpecSchema, ['drain', 'verification'], ({ drain, verification }) =>
    faultIf(
      drain?.source.case === 'promql' &&
        drain.source.value.prometheus === undefined &&
        verification?.prometheus === undefined,
      'drain.promql',
      () => 'needs the address of a Prometheus: write prometheus: {url: ...} here or in spec.verification',
    ),
  ),
];

function stepsThatRise(steps: readonly number[]): readonly MessageFault[] {
  const faults = steps.flatMap((step, index) => {
    const before = steps[index - 1];
    return before === undefined || step > before
      ? []
      : [{ field: `steps[${index}]`, message: `${step} must be above the step before it, ${before}` }];
  });
  const last = steps.at(-1);
  if (last !== 100)
    faults.push({
      field: `steps[${steps.length - 1}]`,
      message: `${last} must be 100: the last step is the flip`,
    });
  return faults;
}

function approvalsAreSteps({ steps, approvals }: rollouts.Traffic): readonly MessageFault[] {
  return approvals.flatMap((approval, index) =>
    faultIf(
      !steps.includes(approval),
      `approvals[${index}]`,
      () => `${approval} must be one of the steps, ${steps.join(', ')}`,
    ),
  );
}

function distinctCohortHeaders({ headers }: rollouts.Cohort): readonly MessageFault[] {
  const key = ({ name, value }: rollouts.CohortHeader) => `${name}: ${value}`;
  return headers.flatMap((header, index) => {
    const earlier = headers.findIndex((other) => key(other) === key(header));
    return faultIf(
      earlier < index,
      `headers[${index}]`,
      () => `is the same as headers[${earlier}]: keep one`,
    );
  });
}

/** The pin and the tenant decide by themselves who gets which version. */
function cohortHeadersAreFree({
  pin,
  tenantKey,
  traffic,
}: config.VersionedServiceSpec): readonly MessageFault[] {
  return (traffic?.cohort?.headers ?? []).flatMap(({ name }, index) => {
    const field = `traffic.cohort.headers[${index}].name`;
    if (name === tenantKey?.header)
      return [{ field, message: `"${name}" is the header of the tenant: list its values under tenants` }];
    return faultIf(
      name === pin?.header || name === pin?.markerHeader,
      field,
      () => `"${name}" is a header of the pin, which decides before the cohort does: choose another`,
    );
  });
}
