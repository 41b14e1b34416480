/** What `promote` lets a rollout go past: a pause, an approval, or a gate that has not passed and is waived by name and reason. */
import type { Instant } from '../model/instant.ts';
import { type RolloutRecord, type StepName, stepName } from '../model/rollout.ts';
import { REGISTER } from './delegates-gate.ts';
import { inState } from './states.ts';
import { nextStep } from './steps.ts';
import { ForbiddenTransitionError } from './transition.ts';

/** Who promotes, and how far. */
export interface Promotion {
  readonly by: string;
  readonly reason: string;
  /** On to 100 percent without further waits, gates or approvals. */
  readonly full: boolean;
  readonly now: Instant;
}

/** The rollout going on. Throws ForbiddenTransitionError where there is nothing to promote past yet. */
export function promoted(rollout: RolloutRecord, { by, reason, full, now }: Promotion): RolloutRecord {
  if (rollout.stateReason === 'OperatorOverride') {
    throw new ForbiddenTransitionError(
      `${rollout.id} is paused since the traffic was moved by hand; resume goes on from there, abort ends it`,
    );
  }
  if (rollout.step.kind === 'Deploy') {
    const isUp = rollout.state === 'Paused' && rollout.stateReason === 'Approval';
    if (!isUp) {
      throw new ForbiddenTransitionError(
        `${rollout.id} is at Deploy (${rollout.because}); there is no traffic to move before ${rollout.version} is up`,
      );
    }
  }
  const going = inState(rollout, {
    state: 'Progressing',
    stateReason: 'Promoted',
    because: `promoted by ${by}${reason === '' ? '' : `: ${reason}`}`,
    now,
  });
  const names = [...new Set([...rollout.promoted, ...promotedSteps(rollout)])];
  return { ...going, promoted: names, ...(full ? { fullyPromotedBy: by } : {}) };
}

/** Whether the promotion lets something through that was not verified; then it needs a reason. */
export function waivesGate(rollout: RolloutRecord, full: boolean): boolean {
  return full || rollout.state !== 'Paused' || rollout.stateReason === 'DelegatesMissing';
}

/** What the rollout says while it waits for delegates, at whatever step. */
const DELEGATE_REASONS: readonly string[] = ['Registering', 'DelegatesMissing', 'DelegatesUnknown'];

/** An approval is for the step ahead; a gate that is not decided is waived for the step that it guards. */
function promotedSteps(rollout: RolloutRecord): readonly StepName[] {
  if (DELEGATE_REASONS.includes(rollout.stateReason)) return [REGISTER];
  const ahead = nextStep(rollout);
  const isForAhead = rollout.stateReason === 'Approval' || rollout.stateReason === 'WayBackNotReady';
  if (isForAhead) return ahead === undefined ? [] : [stepName(ahead)];
  return rollout.state === 'Paused' ? [] : [stepName(rollout.step)];
}
