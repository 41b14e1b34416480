/** Which boxes a candidate is for so far: by their wave, and within the wave by their place in its order. */
import type { Wave } from '../model/delegates.ts';
import type { WatcherIdentity } from '../model/goal-state.ts';
import type { WavesRecord } from '../model/waves.ts';
import { positionOf } from './position.ts';

/**
 * The wave of a group: the one that names it, else the one that takes what no other names, else the last. Waves must not
 * be empty.
 */
export function waveOf(waves: readonly Wave[], group: string): number {
  const named = waves.findIndex(({ groups }) => groups.includes(group));
  if (named >= 0) return named;
  const rest = waves.findIndex(({ groups }) => groups.length === 0);
  return rest >= 0 ? rest : waves.length - 1;
}

/** Whether the candidate of these waves is for the box. A box that comes late is treated as its wave was. */
export function isAdmitted(record: WavesRecord, box: Pick<WatcherIdentity, 'id' | 'group'>): boolean {
  if (record.phase === 'Done') return true;
  const wave = waveOf(record.waves, box.group);
  if (wave !== record.wave) return wave < record.wave;
  return positionOf(record.rollout, box.id) <= record.admittedTo;
}
