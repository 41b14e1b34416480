/** The generation of goal states: one number for a service, which rises with each change of what any box should run. */

import { MAX_GENERATION } from '../model/goal-state.ts';
import { type Instant, instant } from '../model/instant.ts';
import type { ServiceRecord } from '../model/state.ts';
import {
  type DelegatesRecord,
  type Generation,
  MAX_PAST_GENERATIONS,
  type PastGeneration,
  type WavesRecord,
} from '../model/waves.ts';
import { namedBy, type Wish } from './wish.ts';

/** A service that no watcher was told anything of yet. */
export const NO_DELEGATES: DelegatesRecord = {
  current: {
    generation: 0,
    at: instant(0),
    because: 'nothing was wished yet',
    versions: [],
    decommissioned: [],
  },
  past: [],
  waves: [],
  decommissions: [],
};

/** The record with the generation that the wish makes; the same object where it changes nothing for any box. */
export function nextGeneration(input: {
  readonly delegates: DelegatesRecord;
  readonly wish: Wish;
  /** Why it may differ; one sentence, kept with the generation. */
  readonly because: string;
  readonly now: Instant;
}): DelegatesRecord {
  const { delegates, wish, because, now } = input;
  const { current } = delegates;
  const named = namedBy(wish);
  const was = { versions: current.versions, decommissioned: current.decommissioned };
  if (contentText(was) === contentText(named)) return delegates;
  return succeeded(delegates, { ...named, generation: current.generation + 1, at: now, because });
}

/**
 * An operator's word that what we wish holds, although watchers have seen newer generations (this controller was restored
 * from a backup): the generation jumps above all of them. Undefined where nobody has seen a newer one.
 */
export function reassert(input: {
  readonly delegates: DelegatesRecord;
  /** The newest generation that a watcher has seen or applied. */
  readonly reported: number;
  readonly by: string;
  readonly reason: string;
  readonly now: Instant;
}): DelegatesRecord | undefined {
  const { delegates, reported, by, reason, now } = input;
  const { current } = delegates;
  if (!Number.isSafeInteger(reported) || reported <= current.generation || reported >= MAX_GENERATION) {
    return undefined;
  }
  const because = `${by} asserted what is recorded here over generation ${reported}${reason && `: ${reason}`}`;
  return succeeded(delegates, { ...current, generation: reported + 1, at: now, because });
}

/** Without the waves of versions that are gone, and of those that everybody has for good. */
export function keptWaves(
  waves: readonly WavesRecord[],
  { versions, rollout }: Pick<ServiceRecord, 'versions' | 'rollout'>,
): readonly WavesRecord[] {
  const kept = waves.filter(({ candidate, rollout: of, phase }) => {
    const isLive = versions.some(({ name, state }) => name === candidate && state !== 'Retired');
    return isLive && (phase !== 'Done' || rollout?.id === of);
  });
  return kept.length === waves.length ? waves : kept;
}

function succeeded(delegates: DelegatesRecord, current: Generation): DelegatesRecord {
  const { generation, at, because, versions } = delegates.current;
  const past: PastGeneration = { generation, at, because, versions: versions.map(({ version }) => version) };
  const isFirst = generation === 0;
  return {
    ...delegates,
    current,
    past: isFirst ? [] : [past, ...delegates.past].slice(0, MAX_PAST_GENERATIONS),
  };
}

/** One text for equal content, whatever the order of the fields: a record that was stored and read again is equal. */
function contentText({ versions, decommissioned }: Pick<Generation, 'versions' | 'decommissioned'>): string {
  return JSON.stringify([
    versions.map(({ version, artifact, role, admission }) => [
      version,
      artifact,
      role,
      admission === undefined ? [] : [admission.rollout, admission.wave, admission.admittedTo],
    ]),
    [...decommissioned].toSorted(),
  ]);
}
