/** The model of delegates in, messages of delegates.proto out: the reverse of to-model-delegates.ts. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import * as config from '../gen/switchyard/config/v1/delegates_pb.js';
import type { DelegateSourceSpec, DelegatesSpec } from '../model/delegates.ts';
import { fromWindow } from './from-model-rollout.ts';
import { fromPrometheus, type Init } from './from-model-verification.ts';

const ON_MISSING = {
  HoldBack: config.OnMissing.HOLD_BACK,
  Wait: config.OnMissing.WAIT,
  Proceed: config.OnMissing.PROCEED,
  Fail: config.OnMissing.FAIL,
} as const satisfies Record<DelegatesSpec['onMissing'], config.OnMissing>;

/** The message of spec.delegates. */
export function fromDelegates(delegates: DelegatesSpec): Init<typeof config.DelegatesSchema> {
  const { source, activeWithin, deadline, onMissing, maxHeldBack, holdFor, waves } = delegates;
  return {
    source: fromDelegateSource(source),
    activeWithin: durationFromMs(activeWithin),
    deadline: durationFromMs(deadline),
    onMissing: ON_MISSING[onMissing],
    maxHeldBack,
    holdFor: durationFromMs(holdFor),
    waves: waves.map(({ name, groups, canaries, wait, windows, maxInFlight, maxFailed }) => ({
      name,
      groups: [...groups],
      canaries,
      wait: durationFromMs(wait),
      windows: windows.map(fromWindow),
      maxInFlight,
      maxFailed,
    })),
  };
}

function fromDelegateSource(
  source: DelegateSourceSpec,
): NonNullable<Init<typeof config.DelegatesSchema>['source']> {
  switch (source.kind) {
    case 'grpc':
      return { case: 'grpc', value: {} };
    case 'promql': {
      const { query, prometheus, tenantLabel } = source;
      return { case: 'promql', value: { query, prometheus: fromPrometheus(prometheus), tenantLabel } };
    }
    case 'none':
      return { case: 'none', value: {} };
  }
}
