/** Versions that a runtime lists by address: they are taken up as they come, as long as there is room. Pure. */
import { MAX_LIVE_VERSIONS } from '../model/limits.ts';
import type { VersionName } from '../model/names.ts';
import { findVersion, type ServiceRecord } from '../model/state.ts';
import { liveVersions } from './teardown.ts';

/** Those that are to be taken up now, and those that are not, since as many live as there may be. */
export function versionsOffered(
  record: ServiceRecord,
  offered: readonly VersionName[],
): { readonly taken: readonly VersionName[]; readonly left: readonly VersionName[] } {
  const added = offered.filter((version) => findVersion(record, version) === undefined);
  const room = Math.max(0, MAX_LIVE_VERSIONS - liveVersions(record).length);
  return { taken: added.slice(0, room), left: added.slice(room) };
}
