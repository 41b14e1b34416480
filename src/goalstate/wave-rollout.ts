/** What the end of a rollout means for its waves: what was admitted stays, and only one that went well admits more. */
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { WavesRecord } from '../model/waves.ts';

export interface Followed {
  /** The same object where nothing changed. */
  readonly recorded: WavesRecord;
  /** Why nobody is admitted any more; empty: the waves go on. */
  readonly stopped: string;
}

/**
 * The waves as their rollout stands. One that an operator paused stands still. One that has Succeeded goes on to its last
 * wave, also when the next rollout has begun; every other end, or being replaced, stops it where it is until a retry.
 */
export function followRollout(recorded: WavesRecord, { rollout }: Pick<ServiceRecord, 'rollout'>): Followed {
  if (rollout?.id !== recorded.rollout) {
    const stopped = recorded.hasSucceeded === true ? '' : 'its rollout was replaced by another';
    return { recorded, stopped };
  }
  if (rollout.state === 'Succeeded') {
    return {
      recorded: recorded.hasSucceeded === true ? recorded : { ...recorded, hasSucceeded: true },
      stopped: '',
    };
  }
  const { hasSucceeded, ...going } = recorded;
  const isPaused = rollout.state === 'Paused' && rollout.stateReason === 'Operator';
  const ended = isOpen(rollout.state) ? '' : `its rollout ended: ${rollout.state}`;
  return {
    recorded: hasSucceeded === undefined ? recorded : going,
    stopped: isPaused ? 'an operator paused the rollout' : ended,
  };
}
