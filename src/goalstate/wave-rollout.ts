/** What the end of a rollout means for its waves: what was admitted stays, and only one that went well admits more. */
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { WavesRecord } from '../model/waves.ts';

export interface Followed {
  /** With `hasSucceeded` as it is now; the same object where nothing changed. */
  readonly recorded: WavesRecord;
  /** Why nobody is admitted any more; empty: the waves go on. */
  readonly stopped: string;
}

/**
 * The waves as their rollout stands. One that an operator paused stands still. One that has Succeeded goes on to its last
 * wave, also when the next rollout has begun; every other end, or being replaced, stops it where it is until a retry. The
 * primary's go on in any case, whoever made it primary: the default traffic needs its delegates.
 */
export function followRollout(
  recorded: WavesRecord,
  { rollout, traffic }: Pick<ServiceRecord, 'rollout' | 'traffic'>,
): Followed {
  const ours = rollout?.id === recorded.rollout ? rollout : undefined;
  const isPrimary = traffic.kind !== 'none' && traffic.primary === recorded.candidate;
  if (ours !== undefined && isOpen(ours.state)) {
    const isPaused = ours.state === 'Paused' && ours.stateReason === 'Operator';
    return { recorded: unsettled(recorded), stopped: isPaused ? 'an operator paused the rollout' : '' };
  }
  if (isPrimary || ours?.state === 'Succeeded') return { recorded: settled(recorded), stopped: '' };
  if (ours !== undefined) {
    return { recorded: unsettled(recorded), stopped: `its rollout ended: ${ours.state}` };
  }
  const stopped = recorded.hasSucceeded === true ? '' : 'its rollout was replaced by another';
  return { recorded, stopped };
}

function settled(recorded: WavesRecord): WavesRecord {
  return recorded.hasSucceeded === true ? recorded : { ...recorded, hasSucceeded: true };
}

function unsettled(recorded: WavesRecord): WavesRecord {
  if (recorded.hasSucceeded === undefined) return recorded;
  const { hasSucceeded: _over, ...going } = recorded;
  return going;
}
