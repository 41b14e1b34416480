/** A rollout's next move as actions: one change of the record for each, with the sentence that explains it. */
import type { Milliseconds } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { isOpen, type RolloutState, type RolloutStep, stepName } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { End } from './advance.ts';
import type { Move } from './walk.ts';

/** Changes of a rollout. */
export type RolloutAction = { readonly because: string } & (
  | { readonly kind: 'DeployCandidate'; readonly version: VersionName }
  | { readonly kind: 'HoldRollout'; readonly state: RolloutState; readonly reason: string }
  | { readonly kind: 'StepEverywhere'; readonly mixedFor?: Milliseconds }
  | { readonly kind: 'EnterStep'; readonly step: RolloutStep }
  | ({ readonly kind: 'EndRollout' } & Pick<End, 'state' | 'reason' | 'isBad'>)
);

/** The actions of a move; a stay that is already recorded needs none. */
export function planRollout(record: ServiceRecord, move: Move): readonly RolloutAction[] {
  const { rollout } = record;
  if (rollout === undefined || !isOpen(rollout.state)) return [];
  switch (move.kind) {
    case 'Stay': {
      const isRecorded = rollout.state === move.state && rollout.stateReason === move.reason;
      if (isRecorded) return [];
      const { state, reason, because } = move;
      return [{ kind: 'HoldRollout', state, reason, because }];
    }
    case 'Deploy':
      return [{ kind: 'DeployCandidate', version: rollout.version, because: move.because }];
    case 'Everywhere':
      return [{ ...move, kind: 'StepEverywhere' }];
    case 'Enter':
      return [{ kind: 'EnterStep', step: move.step, because: sentence(move) }];
    case 'End': {
      const { state, reason, because, isBad } = move;
      return [{ kind: 'EndRollout', state, reason, because, isBad }];
    }
  }
}

function sentence({ step, because }: Extract<Move, { kind: 'Enter' }>): string {
  return `${stepName(step)}: ${because}`;
}
