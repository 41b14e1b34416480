/** What an operator's hand on the traffic means for the rollout that goes on. */
import type { Instant } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { isOpen, type RolloutRecord, type RolloutStep, stepName } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import { withoutHeldBack } from './advance.ts';
import { inState } from './states.ts';
import { isAfterFlip, stepsOf } from './steps.ts';

/** Who did what, for the rollout's record. */
export interface Override {
  readonly by: string;
  /** For example `flip to v2`. */
  readonly what: string;
  readonly now: Instant;
}

/**
 * The record after a flip or set-weight by hand: the rollout pauses and acts no more until `resume`. A flip to a
 * candidate that was only waiting for an approval is that approval.
 */
export function overridden(before: ServiceRecord, after: ServiceRecord, override: Override): ServiceRecord {
  const { rollout } = after;
  if (rollout === undefined || !isOpen(rollout.state) || before.traffic === after.traffic) return after;
  const { by, what, now } = override;
  const isApproval = rollout.state === 'Paused' && rollout.stateReason === 'Approval';
  if (isApproval && after.traffic.kind === 'steady' && after.traffic.primary === rollout.version) {
    return { ...after, rollout: flippedByHand(rollout, `${what} by ${by}`, now) };
  }
  const standing = inState(rollout, {
    state: 'Paused',
    stateReason: 'OperatorOverride',
    because: `${what} by ${by}; resume goes on from where the traffic is, abort ends the rollout`,
    now,
  });
  return { ...after, rollout: standing };
}

function flippedByHand(rollout: RolloutRecord, because: string, now: Instant): RolloutRecord {
  const flip = stepsOf(rollout.policy).find(isAfterFlip) ?? rollout.step;
  return atStep(inState(rollout, { state: 'Progressing', stateReason: 'Flipping', because, now }), flip, now);
}

/** The record after the traffic was moved back by hand: the rollout has ended by that. */
export function movedBack(before: ServiceRecord, after: ServiceRecord, override: Override): ServiceRecord {
  const { rollout } = after;
  if (rollout === undefined || before.traffic === after.traffic) return after;
  const wasPrimary = before.traffic.kind !== 'none' && before.traffic.primary === rollout.version;
  const { by, now } = override;
  const end = { stateReason: 'Operator', because: `rolled back by ${by}`, now };
  const ended = { endedAt: now, movedBackAt: now };
  const released = withoutHeldBack(after, rollout);
  if (wasPrimary && (isOpen(rollout.state) || rollout.state === 'Succeeded')) {
    return { ...released, rollout: { ...inState(rollout, { ...end, state: 'RolledBack' }), ...ended } };
  }
  if (!isOpen(rollout.state)) return after;
  return { ...released, rollout: { ...inState(rollout, { ...end, state: 'Aborted' }), ...ended } };
}

/**
 * The rollout standing still; one that an operator has taken over stays so, since `resume` must know it. Every other pause
 * ends by itself when what it waits for comes, which an operator's does not.
 */
export function paused(rollout: RolloutRecord, because: string, now: Instant): RolloutRecord {
  const isOrdered = rollout.stateReason === 'Operator' || rollout.stateReason === 'OperatorOverride';
  if (rollout.state === 'Paused' && isOrdered) return rollout;
  return inState(rollout, { state: 'Paused', stateReason: 'Operator', because, now });
}

/**
 * The rollout going on: after an override from where the traffic is now, else at its step. Its gate is judged afresh,
 * with a new window.
 */
export function resumed(record: ServiceRecord, by: string, now: Instant): RolloutRecord | undefined {
  const { rollout } = record;
  if (rollout === undefined || !isOpen(rollout.state)) return undefined;
  const step = stepOfTraffic(record, rollout);
  const isMoved = stepName(step) !== stepName(rollout.step);
  const isUndecided = rollout.state === 'Inconclusive' || rollout.stateReason === 'DelegatesMissing';
  const isAfresh = isUndecided || rollout.stateReason === 'OperatorOverride' || isMoved;
  const going = {
    ...inState(rollout, {
      state: 'Progressing',
      stateReason: 'Resumed',
      because: `resumed by ${by}`,
      now,
    }),
    baseline: baselineNow(record, rollout),
  };
  if (!isAfresh) return going;
  return atStep({ ...going, attempt: rollout.attempt + 1 }, step, now);
}

/** Somebody may have made another version primary by hand: that is what the candidate is compared with from now on. */
function baselineNow({ traffic }: ServiceRecord, { version, baseline }: RolloutRecord): VersionName {
  return traffic.kind === 'none' || traffic.primary === version ? baseline : traffic.primary;
}

function stepOfTraffic({ traffic }: ServiceRecord, rollout: RolloutRecord): RolloutStep {
  const steps = stepsOf(rollout.policy);
  if (traffic.kind !== 'none' && traffic.primary === rollout.version) {
    return isAfterFlip(rollout.step) ? rollout.step : (steps.find(isAfterFlip) ?? rollout.step);
  }
  if (traffic.kind === 'shifting' && traffic.candidate === rollout.version) {
    const reached = steps.filter((step) => step.kind === 'Shift' && step.weight <= traffic.weight).at(-1);
    return reached ?? rollout.step;
  }
  const beforeTraffic = steps.filter(({ kind }) => BEFORE_TRAFFIC.includes(kind)).at(-1);
  const isBefore = BEFORE_TRAFFIC.includes(rollout.step.kind);
  return isBefore ? rollout.step : (beforeTraffic ?? rollout.step);
}

const BEFORE_TRAFFIC: readonly RolloutStep['kind'][] = ['Deploy', 'Register', 'Verify'];

function atStep(rollout: RolloutRecord, step: RolloutStep, now: Instant): RolloutRecord {
  const { stepEverywhere: _past, ...rest } = rollout;
  return { ...rest, step, stepSince: now };
}
