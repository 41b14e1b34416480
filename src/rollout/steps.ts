/** The steps of a rollout's walk, from its policy. */
import {
  type RolloutPolicy,
  type RolloutRecord,
  type RolloutStep,
  type StepName,
  stepName,
} from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';

/** All steps in order. Steps that would have nothing to do are left out. */
export function stepsOf(policy: RolloutPolicy): readonly RolloutStep[] {
  const { traffic, verification } = policy;
  const isVerified = verification?.checks.some(({ at }) => at.includes('Verify')) === true;
  return [
    { kind: 'Deploy' },
    ...(hasDelegates(policy) ? ([{ kind: 'Register' }] as const) : []),
    ...(isVerified ? ([{ kind: 'Verify' }] as const) : []),
    ...(traffic.cohort === undefined ? [] : ([{ kind: 'Cohort' }] as const)),
    ...traffic.steps.map((weight, index): RolloutStep => ({ kind: 'Shift', index, weight })),
    ...(verification !== undefined && verification.soak > 0 ? ([{ kind: 'Soak' }] as const) : []),
  ];
}

/** Whether a rollout of this policy waits for delegates. */
export function hasDelegates({ delegates }: RolloutPolicy): boolean {
  return delegates !== undefined && delegates.source.kind !== 'none';
}

/** The step after the present one; undefined after the last. */
export function nextStep({ policy, step }: Pick<RolloutRecord, 'policy' | 'step'>): RolloutStep | undefined {
  const steps = stepsOf(policy);
  const index = steps.findIndex((other) => stepName(other) === stepName(step));
  return steps[index + 1];
}

/** Whether the step sends requests to the candidate that did not ask for it. */
export function movesTraffic(step: RolloutStep): boolean {
  return step.kind === 'Shift' || step.kind === 'Cohort';
}

/** Whether the candidate is primary from this step on: an end of the rollout is then a rollback. */
export function isAfterFlip(step: RolloutStep): boolean {
  return step.kind === 'Soak' || (step.kind === 'Shift' && step.weight === 100);
}

/** Whether the candidate is primary now, by its rollout or by hand: going back is then a rollback. */
export function isFlipped(
  { traffic }: Pick<ServiceRecord, 'traffic'>,
  { version }: Pick<RolloutRecord, 'version'>,
): boolean {
  return traffic.kind !== 'none' && traffic.primary === version;
}

/** Whether an operator has to say `promote` before the step. */
export function needsApproval(rollout: RolloutRecord, step: RolloutStep): boolean {
  const { promotion, approvals } = rollout.policy.traffic;
  if (!movesTraffic(step) || isPromoted(rollout, stepName(step))) return false;
  return promotion === 'Manual' || (step.kind === 'Shift' && approvals.includes(step.weight));
}

/** Whether an operator has promoted the rollout past this step, or past all that lead to the flip. */
export function isPromoted({ promoted, fullyPromotedBy }: RolloutRecord, name: StepName): boolean {
  const isFull = fullyPromotedBy !== undefined && name !== 'Soak';
  return isFull || promoted.includes(name);
}

/** The kind of checks that guard a step; undefined where none do. */
export function checkedStepOf(step: RolloutStep): 'Verify' | 'Shift' | 'Soak' | undefined {
  switch (step.kind) {
    case 'Deploy':
    case 'Register':
      return undefined;
    case 'Verify':
      return 'Verify';
    case 'Cohort':
      return 'Shift';
    case 'Shift':
      return step.weight === 100 ? undefined : 'Shift';
    case 'Soak':
      return 'Soak';
  }
}
