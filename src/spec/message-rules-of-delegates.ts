/** Rules between the fields of spec.delegates: part of the table in message-rules.ts. */
import * as config from '../gen/switchyard/config/v1/config_pb.js';
import * as fleet from '../gen/switchyard/config/v1/delegates_pb.js';
import { faultIf, type MessageFault, type MessageRule, rule } from './message-rule.ts';

export const DELEGATE_MESSAGE_RULES: readonly MessageRule[] = [
  rule(fleet.DelegatesSchema, ['waves'], ({ source, waves }) =>
    faultIf(
      source.case === 'none' && waves.length > 0,
      'waves',
      () => 'need delegates: write grpc: {} or promql: {...} in place of none, or leave the waves out',
    ),
  ),
  rule(fleet.DelegatesSchema, ['waves'], ({ waves }) => theRestIsLast(waves)),
  rule(fleet.DelegatesSchema, ['waves'], ({ waves }) => oneWaveForAGroup(waves)),
  rule(config.VersionedServiceSpecSchema, ['tenantKey', 'delegates'], ({ tenantKey, delegates }) =>
    faultIf(
      tenantKey === undefined &&
        delegates !== undefined &&
        delegates.source.case !== 'none' &&
        delegates.onMissing === fleet.OnMissing.HOLD_BACK,
      'delegates.onMissing',
      () =>
        'HoldBack needs tenantKey: without it no request names its tenant, and nobody can be held; write tenantKey, or Wait, Proceed or Fail',
    ),
  ),
  rule(config.VersionedServiceSpecSchema, ['delegates', 'verification'], ({ delegates, verification }) =>
    faultIf(
      delegates?.source.case === 'promql' &&
        delegates.source.value.prometheus === undefined &&
        verification?.prometheus === undefined,
      'delegates.promql',
      () => 'needs the address of a Prometheus: write prometheus: {url: ...} here or in spec.verification',
    ),
  ),
];

/** A wave without groups takes all boxes that no other names: what comes after it would have none. */
function theRestIsLast(waves: readonly fleet.Wave[]): readonly MessageFault[] {
  return waves.flatMap(({ groups }, index) =>
    faultIf(
      groups.length === 0 && index < waves.length - 1,
      `waves[${index}].groups`,
      () => 'is empty, which means all boxes that no other wave names: only the last wave may have no groups',
    ),
  );
}

function oneWaveForAGroup(waves: readonly fleet.Wave[]): readonly MessageFault[] {
  return waves.flatMap(({ groups }, index) =>
    groups.flatMap((group, position) => {
      const earlier = waves.slice(0, index).find((wave) => wave.groups.includes(group));
      return earlier === undefined
        ? []
        : [
            {
              field: `waves[${index}].groups[${position}]`,
              message: `"${group}" is in wave ${earlier.name} already: keep one`,
            },
          ];
    }),
  );
}
