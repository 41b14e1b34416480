/** Which states may follow each state of a rollout (docs/states.md draws this), and the one way to change it. */
import type { Instant } from '../model/instant.ts';
import type { RolloutRecord, RolloutState } from '../model/rollout.ts';

export const ROLLOUT_TRANSITIONS: Readonly<Record<RolloutState, readonly RolloutState[]>> = {
  Waiting: ['Progressing', 'Paused', 'Inconclusive', 'Aborted', 'RolledBack', 'Failed'],
  Progressing: ['Waiting', 'Paused', 'Inconclusive', 'Succeeded', 'Aborted', 'RolledBack', 'Failed'],
  Paused: ['Progressing', 'Waiting', 'Inconclusive', 'Succeeded', 'Aborted', 'RolledBack', 'Failed'],
  Inconclusive: ['Progressing', 'Waiting', 'Paused', 'Succeeded', 'Aborted', 'RolledBack', 'Failed'],
  Succeeded: ['RolledBack'],
  Aborted: ['Progressing', 'Paused'],
  RolledBack: ['Progressing', 'Paused'],
  Failed: ['Progressing', 'Paused'],
};

/** A change of state that the table does not allow: a fault of ours, never an operator's. */
export class ForbiddenRolloutStateError extends Error {
  override readonly name = 'ForbiddenRolloutStateError';
}

/** The rollout in another state; `since` stays where the state does. Throws ForbiddenRolloutStateError. */
export function inState(
  rollout: RolloutRecord,
  next: {
    readonly state: RolloutState;
    readonly stateReason: string;
    readonly because: string;
    readonly now: Instant;
  },
): RolloutRecord {
  const { state, stateReason, because, now } = next;
  if (state !== rollout.state && !ROLLOUT_TRANSITIONS[rollout.state].includes(state)) {
    throw new ForbiddenRolloutStateError(`${rollout.id} is ${rollout.state} and cannot become ${state}`);
  }
  const isSame = state === rollout.state && stateReason === rollout.stateReason;
  return { ...rollout, state, stateReason, because, since: isSame ? rollout.since : now };
}
