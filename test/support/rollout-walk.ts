/** A service at each step of a rollout of v2 beside v1, as the controller records it, for tests of routes. */
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { type RolloutRecord, type RolloutStep, rolloutId } from '../../src/model/rollout.ts';
import type { TrafficSpec } from '../../src/model/spec.ts';
import type { ServiceRecord, Traffic } from '../../src/model/state.ts';
import { aRecord, aTraffic, aVersion } from './records.ts';

const v1 = versionName('v1');
const v2 = versionName('v2');
const MANAGER = serviceName('manager');

/** A rollout of v2 with this policy at this step, going on. */
export function aRollout(
  step: RolloutStep,
  policy: Partial<TrafficSpec> = {},
  replaced: Partial<RolloutRecord> = {},
): RolloutRecord {
  return {
    id: rolloutId(MANAGER, v2, 1),
    service: MANAGER,
    version: v2,
    baseline: v1,
    policy: { traffic: aTraffic(policy) },
    startedAt: instant(0),
    startedBy: 'ada',
    reason: '',
    urgent: false,
    keeps: [],
    group: [],
    attempt: 1,
    state: 'Progressing',
    stateReason: 'Test',
    because: '',
    since: instant(0),
    step,
    stepSince: instant(0),
    promoted: [],
    ...replaced,
  };
}

/** The steps of a rollout with these weights, in their order. */
export function stepsOf(weights: readonly number[]): readonly RolloutStep[] {
  return [
    { kind: 'Deploy' },
    { kind: 'Verify' },
    { kind: 'Cohort' },
    ...weights.map((weight, index): RolloutStep => ({ kind: 'Shift', index, weight })),
    { kind: 'Soak' },
  ];
}

/** The record of the service at a step, with the traffic that the step has. */
export function recordAt(
  step: RolloutStep,
  policy: Partial<TrafficSpec> = {},
  replaced: Partial<RolloutRecord> = {},
): ServiceRecord {
  const traffic = trafficAt(step);
  const states =
    traffic.kind === 'steady' && traffic.primary === v2 ? (['Standby', 'Primary'] as const) : undefined;
  const [first, second] = states ?? ['Primary', traffic.kind === 'shifting' ? 'Ramping' : 'Standby'];
  return aRecord({
    traffic,
    versions: [
      aVersion('v1', { state: first }),
      aVersion('v2', { state: step.kind === 'Deploy' ? 'Deploying' : second }),
    ],
    rollout: aRollout(step, policy, replaced),
  });
}

function trafficAt(step: RolloutStep): Traffic {
  const isAfterFlip = step.kind === 'Soak' || (step.kind === 'Shift' && step.weight === 100);
  if (isAfterFlip) return { kind: 'steady', primary: v2, previous: v1 };
  if (step.kind !== 'Shift') return { kind: 'steady', primary: v1 };
  return { kind: 'shifting', primary: v1, candidate: v2, weight: step.weight, salt: 'salt' };
}
