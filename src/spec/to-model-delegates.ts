/** Messages of delegates.proto in, the model out, with the default that depends on spec.verification. */
import * as config from '../gen/switchyard/config/v1/delegates_pb.js';
import type { DelegateSourceSpec, DelegatesSpec, Wave } from '../model/delegates.ts';
import type { VerificationSpec } from '../model/spec.ts';
import { given } from './given.ts';
import { milliseconds } from './leaf.ts';
import { toWindow } from './to-model-rollout.ts';
import { toPrometheus } from './to-model-verification.ts';

const ON_MISSING = {
  [config.OnMissing.UNSPECIFIED]: undefined,
  [config.OnMissing.HOLD_BACK]: 'HoldBack',
  [config.OnMissing.WAIT]: 'Wait',
  [config.OnMissing.PROCEED]: 'Proceed',
  [config.OnMissing.FAIL]: 'Fail',
} as const satisfies Record<config.OnMissing, DelegatesSpec['onMissing'] | undefined>;

/** The model of spec.delegates. */
export function toDelegates(
  message: config.Delegates,
  verification: VerificationSpec | undefined,
): DelegatesSpec {
  return {
    source: toDelegateSource(message, verification),
    activeWithin: milliseconds(message.activeWithin),
    deadline: milliseconds(message.deadline),
    onMissing: given(ON_MISSING[message.onMissing]),
    maxHeldBack: message.maxHeldBack,
    holdFor: milliseconds(message.holdFor),
    waves: message.waves.map(toWave),
  };
}

/** Who knows the delegates. A Prometheus that is not named is the one that verifies. */
function toDelegateSource(
  { source }: config.Delegates,
  verification: VerificationSpec | undefined,
): DelegateSourceSpec {
  switch (source.case) {
    case 'grpc':
      return { kind: 'grpc' };
    case 'promql': {
      const { query, prometheus, tenantLabel } = source.value;
      return {
        kind: 'promql',
        query,
        prometheus: prometheus === undefined ? given(verification?.prometheus) : toPrometheus(prometheus),
        tenantLabel,
      };
    }
    case 'none':
      return { kind: 'none' };
    case undefined:
      return given<DelegateSourceSpec>(undefined);
  }
}

function toWave({ name, groups, canaries, wait, windows, maxInFlight, maxFailed }: config.Wave): Wave {
  return {
    name,
    groups,
    canaries,
    wait: milliseconds(wait),
    windows: windows.map(toWindow),
    maxInFlight,
    maxFailed,
  };
}
