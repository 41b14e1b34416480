/** The record of a service that ran before anything was recorded of it: after a restore without its record, nothing moves. */
import type { VersionName } from '../model/names.ts';
import type { ServiceRecord, VersionRecord, VersionState } from '../model/state.ts';
import { paused } from './override.ts';
import { type Start, startRollout } from './start.ts';

/** What runs of a service that nothing is recorded of. */
export interface Found {
  /** Who gets its default traffic. */
  readonly primary: VersionName;
  /** All that is there, so that pins reach it as before; the primary may be among them. */
  readonly versions: readonly VersionName[];
}

/**
 * `empty`: without traffic and versions. Where its spec wants another version than the one that is primary, its rollout waits
 * for somebody to resume it: that version may have been tried, and found bad.
 */
export function takenUp(empty: ServiceRecord, found: Found, start: Start): ServiceRecord {
  const { now } = start;
  const at = (name: VersionName, state: VersionState): VersionRecord => ({
    name,
    state,
    reason: 'Found',
    since: now,
    fenced: false,
  });
  const others = [...new Set(found.versions)].filter((name) => name !== found.primary).toSorted();
  const standing: ServiceRecord = {
    ...empty,
    traffic: { kind: 'steady', primary: found.primary },
    versions: [
      { ...at(found.primary, 'Primary'), lastPrimary: now },
      ...others.map((name) => at(name, 'Standby')),
    ],
  };
  if (empty.spec.version === found.primary) return standing;
  const begun = startRollout(standing, start);
  if (begun.rollout === undefined) return begun;
  const because = `nothing was recorded of ${empty.name}, and ${found.primary} has its default traffic: resume begins the rollout of ${empty.spec.version}, abort ends it`;
  return { ...begun, rollout: paused(begun.rollout, because, now) };
}
