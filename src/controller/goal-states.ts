/**
 * What the watchers of a service are to be told: the waves and the generation follow the record, in the commit that
 * changed it, and each watcher is offered what its class of boxes should run. A service that was not looked at since the
 * controller started tells nobody anything: what is recorded may be about to change.
 */

import { keptWaves, NO_DELEGATES, nextGeneration, noteReported } from '../goalstate/generation.ts';
import { Goals, type Offer, type SentGoal } from '../goalstate/goals.ts';
import { followRollout } from '../goalstate/wave-rollout.ts';
import { beginWaves, planWaves, type WavesInput } from '../goalstate/waves.ts';
import { earlyVersions, type Wish, wishOf } from '../goalstate/wish.ts';
import type { NewAuditEvent } from '../model/audit.ts';
import type { Artifact, WatcherRecord } from '../model/goal-state.ts';
import type { Instant } from '../model/instant.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import { isOpen } from '../model/rollout.ts';
import { findVersion, isActive, type ServiceRecord } from '../model/state.ts';
import { type DelegatesRecord, decommissionedBoxes, type WavesRecord } from '../model/waves.ts';
import { hasDelegates } from '../rollout/steps.ts';

/** What a service's goal states follow from. */
export interface GoalInput {
  readonly record: ServiceRecord;
  /** All watchers of the service that are known. */
  readonly watchers: readonly WatcherRecord[];
  /** Why nothing may be concluded from who is connected now; empty: it may. */
  readonly gathering: string;
  readonly now: Instant;
}

export interface GoalStep {
  /** The same object where nothing changed. */
  readonly record: ServiceRecord;
  readonly events: readonly NewAuditEvent[];
}

/** The record with its waves and its generation as they should be now. The generation of the record is not raised. */
export function advanceGoals(input: GoalInput): GoalStep {
  const { record, watchers, now } = input;
  if (record.delegates === undefined && (record.artifacts ?? []).length === 0) return { record, events: [] };
  const before = record.delegates ?? NO_DELEGATES;
  const { waves, done } = advanceWaves(before, input);
  const reported = watchers.reduce((most, { report }) => Math.max(most, report.seen, report.applied), 0);
  const noted = noteReported(waves === before.waves ? before : { ...before, waves }, reported);
  const wish = wishOfRecord(record, noted);
  const because = done.at(-1)?.because ?? wishText(wish);
  const delegates = nextGeneration({ delegates: noted, wish, because, now });
  if (delegates === before) return { record, events: [] };
  const next = { ...record, delegates };
  return { record: next, events: eventsOf({ before, after: delegates, done, record, now }) };
}

/** What the boxes of a service should run, by its record. */
export function wishOfRecord(record: ServiceRecord, delegates: DelegatesRecord): Wish {
  const early = earlyVersions(record, delegates);
  return wishOf({ record, artifacts: artifactsOf(record), delegates, early });
}

function artifactsOf({ artifacts = [] }: ServiceRecord): ReadonlyMap<VersionName, Artifact> {
  return new Map(artifacts.map((artifact) => [artifact.version, artifact]));
}

function wishText({ versions }: Wish): string {
  const names = versions.map(
    ({ version, role, attempt }) => `${version} (${role}${attempt > 0 ? `, retry ${attempt}` : ''})`,
  );
  return names.length === 0 ? 'no version is wanted on the boxes' : `boxes should run ${names.join(', ')}`;
}

interface WaveDone {
  readonly waves: WavesRecord;
  readonly because: string;
  /** What an operator is told: a halt, or that the turn or the phase has changed. */
  readonly isTold: boolean;
}

function advanceWaves(
  delegates: DelegatesRecord,
  input: GoalInput,
): { readonly waves: readonly WavesRecord[]; readonly done: readonly WaveDone[] } {
  const { waves: recorded, current } = delegates;
  const { record, watchers, gathering, now } = input;
  const decommissioned = decommissionedBoxes(delegates);
  const kept = keptWaves(recorded, record);
  const begun = begunWaves({ record, waves: kept, current, now });
  const done: WaveDone[] = [];
  const waves = begun.map((one) => {
    const followed = followWaves(record, one);
    const step = planWaves({ ...followed, watchers, decommissioned, now, gathering });
    if (step.next === followed.recorded) return step.next;
    const isTold =
      step.next.phase !== one.phase || step.next.wave !== one.wave || step.next.halt !== undefined;
    done.push({ waves: step.next, because: step.done.at(-1) ?? step.because, isTold });
    return step.next;
  });
  const isSame = waves.length === recorded.length && waves.every((one, index) => one === recorded[index]);
  return { waves: isSame ? recorded : waves, done };
}

/** The waves as the rollout of their candidate stands, and whether it waits for times and windows. */
export function followWaves(
  record: ServiceRecord,
  waves: WavesRecord,
): Pick<WavesInput, 'recorded' | 'stopped' | 'urgent'> {
  const { rollout } = record;
  const urgent = rollout?.version === waves.candidate && rollout.urgent;
  return { ...followRollout(waves, continuing(record, waves)), urgent };
}

/** Another rollout of the same version goes on with its waves: what was admitted stays admitted. */
function continuing(record: ServiceRecord, { candidate, rollout: id }: WavesRecord): ServiceRecord {
  const { rollout } = record;
  return rollout?.version === candidate ? { ...record, rollout: { ...rollout, id } } : record;
}

/** Waves begin when the candidate can be reached. A version that all boxes have already needs none. */
function begunWaves(input: {
  readonly record: ServiceRecord;
  readonly waves: readonly WavesRecord[];
  readonly current: DelegatesRecord['current'];
  readonly now: Instant;
}): readonly WavesRecord[] {
  const { record, waves, current, now } = input;
  const { rollout } = record;
  if (rollout === undefined || !isOpen(rollout.state) || !hasDelegates(rollout.policy)) return waves;
  const wanted = rollout.policy.delegates?.waves ?? [];
  const candidate = findVersion(record, rollout.version);
  if (wanted.length === 0 || candidate === undefined || !isActive(candidate.state)) return waves;
  const isEverywhere = current.versions.some(
    ({ version, admission }) => version === rollout.version && admission === undefined,
  );
  if (isEverywhere || waves.some((one) => one.candidate === rollout.version)) return waves;
  return [...waves, beginWaves({ rollout: rollout.id, candidate: rollout.version, waves: wanted, now })];
}

function eventsOf(change: {
  readonly before: DelegatesRecord;
  readonly after: DelegatesRecord;
  readonly done: readonly WaveDone[];
  readonly record: ServiceRecord;
  readonly now: Instant;
}): readonly NewAuditEvent[] {
  const { before, after, done, record, now } = change;
  const event = (action: string, because: string): NewAuditEvent => ({
    at: now,
    actor: 'controller',
    action,
    service: record.name,
    reason: because,
    message: `${record.name}: ${because}`,
    before: '',
    after: JSON.stringify({ generation: after.current.generation }),
  });
  const told = done
    .filter(({ isTold }) => isTold)
    .map(({ waves, because }) => event(waves.halt === undefined ? 'WaveAdvanced' : 'WaveHalted', because));
  const versionsOf = ({ current }: DelegatesRecord): string =>
    current.versions.map(({ version }) => version).join(' ');
  if (versionsOf(before) === versionsOf(after)) return told;
  return [...told, event('GoalStates', after.current.because)];
}

/** What watchers are offered. */
export class GoalStates {
  readonly #goals = new Map<ServiceName, Known>();

  /** A service was planned: from now on what is recorded of it is what watchers are told. True where that has changed. */
  planned(record: ServiceRecord): boolean {
    const { delegates = NO_DELEGATES } = record;
    const { current, foreign } = delegates;
    const known = this.#goals.get(record.name);
    if (known !== undefined && known.current === current && known.foreign === foreign) return false;
    const goals = new Goals({ service: record.name, delegates, wish: wishOfRecord(record, delegates) });
    this.#goals.set(record.name, { current, foreign, goals });
    return true;
  }

  forget(service: ServiceName): void {
    this.#goals.delete(service);
  }

  /** What to do about a watcher now. */
  offer(watcher: WatcherRecord, sent: SentGoal | undefined): Offer {
    const known = this.#goals.get(watcher.identity.service);
    if (known === undefined) {
      return { kind: 'Nothing', reason: 'the controller has just started; wait for what it finds' };
    }
    return known.goals.offer(watcher, sent);
  }
}

interface Known extends Pick<DelegatesRecord, 'current'> {
  readonly foreign: DelegatesRecord['foreign'] | undefined;
  readonly goals: Goals;
}
