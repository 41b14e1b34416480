/**
 * Which versions a rollout takes away, so that no more than `retention.keep` stay beside each other. A version that is
 * the way back stays, and so does one that tenants are held on.
 */
import type { Instant } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { isOpen } from '../model/rollout.ts';
import type { Retirement, ServiceRecord, VersionRecord } from '../model/state.ts';

/** Versions that run or are about to. */
export function liveVersions(record: ServiceRecord): readonly VersionRecord[] {
  return record.versions.filter(({ state }) => state !== 'Retired');
}

/** Whether `candidate` may be started beside those that are up. */
export function hasRoom(record: ServiceRecord, candidate: VersionName): boolean {
  const others = liveVersions(record).filter(({ name }) => name !== candidate);
  return others.length < record.spec.retention.max;
}

/** The versions to tear down now, each with why; only while a rollout goes on. */
export function versionsToTearDown(
  record: ServiceRecord,
  now: Instant,
): readonly { readonly version: VersionName; readonly because: string }[] {
  const { rollout, spec } = record;
  if (rollout === undefined || !isOpen(rollout.state)) return [];
  const kept = keptVersions(record);
  return liveVersions(record)
    .filter(({ name }) => !kept.has(name))
    .filter((version) => wasRolledOut(version) && version.teardown === undefined)
    .filter(({ retirement }) => retirement === undefined)
    .filter(({ name }) => !isHeld(record, name, now))
    .map(({ name }) => ({
      version: name,
      because: `${rollout.version} comes up and retention.keep is ${spec.retention.keep}: ${name} is torn down`,
    }));
}

function keptVersions(record: ServiceRecord): ReadonlySet<VersionName> {
  const { rollout, traffic, spec } = record;
  const needed = [
    ...(rollout === undefined ? [] : [rollout.version, rollout.baseline, ...rollout.keeps]),
    ...(traffic.kind === 'none' ? [] : [traffic.primary]),
    ...(traffic.kind === 'shifting' ? [traffic.candidate] : []),
  ];
  const kept = new Set(needed);
  const newestFirst = liveVersions(record).toSorted(
    (one, other) => (other.lastPrimary ?? 0) - (one.lastPrimary ?? 0),
  );
  for (const { name, mark } of newestFirst) {
    if (kept.size >= spec.retention.keep) break;
    if (mark === undefined) kept.add(name);
  }
  return kept;
}

/** Versions that somebody only listed by address were never Switchyard's to take away. */
function wasRolledOut({ lastPrimary, mark }: VersionRecord): boolean {
  return lastPrimary !== undefined || mark !== undefined;
}

function isHeld({ holds }: ServiceRecord, version: VersionName, now: Instant): boolean {
  return holds.some((hold) => hold.version === version && hold.expires > now);
}

/** Delegates that can be told are told first; where there are none the routes are the first that goes. */
export function firstRetirementStep({ spec, delegates }: ServiceRecord): Retirement['step'] {
  const isTold = spec.delegates.source.kind !== 'none' || (delegates?.current.versions.length ?? 0) > 0;
  return isTold ? 'LeavingGoalStates' : 'Refusing';
}

/** Torn-down versions whose work has ended: their retirement begins. */
export function versionsToRetire(record: ServiceRecord): readonly VersionName[] {
  return record.versions
    .filter(
      ({ state, teardown, retirement }) =>
        state === 'Drained' && teardown !== undefined && retirement === undefined,
    )
    .map(({ name }) => name);
}
