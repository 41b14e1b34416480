/** The generation of goal states: one number for a service, which rises with each change of what any box should run. */

import { MAX_GENERATION } from '../model/goal-state.ts';
import { type Instant, instant } from '../model/instant.ts';
import type { ServiceRecord } from '../model/state.ts';
import {
  type DelegatesRecord,
  type Generation,
  MAX_FOREIGN,
  MAX_LEAP,
  MAX_PAST_GENERATIONS,
  type PastGeneration,
  type WavesRecord,
} from '../model/waves.ts';
import { namedBy, type Wish } from './wish.ts';

/** 2026-01-01T00:00:00Z. */
const NUMBERS_BEGAN = instant(1_767_225_600_000);
/** Generations that a restore takes for given since the backup, where the clock says less. */
const LEAST_LOST = 10_000;

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
  return succeeded(delegates, { ...named, generation: lastNumber(delegates) + 1, at: now, because });
}

/**
 * What a watcher reports as the newest generation that it has seen or applied. One that is newer than ours shows that this
 * record is an older state: those numbers are not given again. The same object where that is known, or is no news.
 */
export function noteReported(delegates: DelegatesRecord, reported: number): DelegatesRecord {
  const isNews = Number.isSafeInteger(reported) && reported > lastNumber(delegates);
  const isGiven = reported <= delegates.current.generation + MAX_LEAP && reported < MAX_GENERATION;
  return isNews && isGiven ? foreignUpTo(delegates, reported) : delegates;
}

/**
 * The record as a backup of it is put back: numbers that were given since the backup are foreign, although no watcher has
 * reported one yet. Nobody knows how many were. None is above the seconds since 2026 began, where fewer than one was
 * given each second: so the same backup may be restored again, and what the restores before gave is foreign too.
 */
export function noteRestored(delegates: DelegatesRecord, now: Instant): DelegatesRecord {
  const seconds = Math.floor((now - NUMBERS_BEGAN) / 1_000);
  return foreignUpTo(delegates, Math.max(lastNumber(delegates) + LEAST_LOST, seconds));
}

/** Whether a generation was given by a newer state of the service than this record. */
export function isForeign({ foreign = [] }: Pick<DelegatesRecord, 'foreign'>, generation: number): boolean {
  return foreign.some(({ above, upTo }) => generation > above && generation <= upTo);
}

function foreignUpTo(delegates: DelegatesRecord, upTo: number): DelegatesRecord {
  const { foreign = [], current } = delegates;
  const last = foreign.at(-1);
  if (last !== undefined && last.upTo > current.generation) {
    return { ...delegates, foreign: [...foreign.slice(0, -1), { above: last.above, upTo }] };
  }
  if (foreign.length === MAX_FOREIGN) return delegates;
  return { ...delegates, foreign: [...foreign, { above: current.generation, upTo }] };
}

/**
 * An operator's word that what is recorded here holds, although watchers have seen newer generations: they are told it
 * under a number above all of theirs. Undefined where nobody has reported a newer one.
 */
export function reassert(input: {
  readonly delegates: DelegatesRecord;
  readonly by: string;
  readonly reason: string;
  readonly now: Instant;
}): DelegatesRecord | undefined {
  const { delegates, by, reason, now } = input;
  const { foreign = [], ...ours } = delegates;
  const newest = foreign.at(-1)?.upTo;
  if (newest === undefined) return undefined;
  const because = `${by} asserted what is recorded here over generation ${newest}${reason && `: ${reason}`}`;
  const generation = lastNumber(delegates) + 1;
  return succeeded(ours, { ...ours.current, generation, at: now, because });
}

/** The highest number that was given, by this record or by a newer state of it. */
function lastNumber({ current, foreign = [] }: DelegatesRecord): number {
  return Math.max(current.generation, foreign.at(-1)?.upTo ?? 0);
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
    versions.map(({ version, artifact, role, attempt = 0, admission }) => [
      version,
      artifact,
      role,
      attempt,
      admission === undefined ? [] : [admission.rollout, admission.wave, admission.admittedTo],
    ]),
    [...decommissioned].toSorted(),
  ]);
}
