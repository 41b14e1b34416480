/** A rollout's next move as actions: one change of the record for each, with the sentence that explains it. */
import type { Milliseconds } from '../model/instant.ts';
import type { TenantName, VersionName } from '../model/names.ts';
import type { Roll } from '../model/parity.ts';
import type { PrimaryServiceGap } from '../model/primary-service.ts';
import {
  type DelegateCounts,
  isOpen,
  type RolloutState,
  type RolloutStep,
  stepName,
} from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { End } from './advance.ts';
import { rollToFix } from './delegates-gate.ts';
import type { Move, Walker } from './walk.ts';

/** Changes of a rollout. */
export type RolloutAction = { readonly because: string } & (
  | { readonly kind: 'DeployCandidate'; readonly version: VersionName }
  | { readonly kind: 'HoldRollout'; readonly state: RolloutState; readonly reason: string }
  | { readonly kind: 'StepEverywhere'; readonly mixedFor?: Milliseconds }
  | {
      readonly kind: 'EnterStep';
      readonly step: RolloutStep;
      readonly heldBack: readonly TenantName[];
      readonly delegates?: DelegateCounts;
    }
  | { readonly kind: 'FixRoll'; readonly roll: Roll }
  | { readonly kind: 'BeginGap'; readonly gap: PrimaryServiceGap }
  | { readonly kind: 'EndGap' }
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
    case 'Enter': {
      const { step, heldBack, delegates } = move;
      const counts = delegates === undefined ? {} : { delegates };
      return [{ kind: 'EnterStep', step, heldBack, ...counts, because: sentence(move) }];
    }
    case 'End': {
      const { state, reason, because, isBad } = move;
      return [{ kind: 'EndRollout', state, reason, because, isBad }];
    }
  }
}

/** Tenants that a sentence names. */
const NAMED_TENANTS = 10;

function sentence({ step, because, heldBack }: Extract<Move, { kind: 'Enter' }>): string {
  if (heldBack.length === 0) return `${stepName(step)}: ${because}`;
  const more = heldBack.length - NAMED_TENANTS;
  const names = heldBack.slice(0, NAMED_TENANTS).join(', ');
  return `${stepName(step)}: ${because}; held back: ${names}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Fixes whom the rollout waits for, once that is known. */
export function planRoll(walker: Walker): readonly RolloutAction[] {
  const roll = rollToFix(walker);
  if (roll === undefined) return [];
  const { baseline } = walker.rollout;
  const because =
    roll.kind === 'named'
      ? `${roll.boxes.length} delegates of ${baseline} are on the roll`
      : `the delegates of ${roll.tenants.length} tenants on ${baseline} are on the roll`;
  return [{ kind: 'FixRoll', roll, because }];
}
