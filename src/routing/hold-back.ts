/**
 * When a replica that does not decide must not follow yet: its own picture of the endpoints may be older than that of the
 * replica that decided. Default traffic must not come to a version of which it knows no ready endpoint (rule 2).
 */
import type { Instance } from '../model/instance.ts';
import type { VersionName } from '../model/names.ts';
import type { ServiceRecord, Traffic } from '../model/state.ts';

/** Why the routes of `wanted` are not shown yet after those of `shown`; undefined where they may be. */
export function heldBack(
  shown: ServiceRecord,
  wanted: ServiceRecord,
  instances: readonly Instance[],
): string | undefined {
  const before = new Set(weighed(shown.traffic));
  const cold = weighed(wanted.traffic).find(
    (version) =>
      !before.has(version) &&
      !instances.some((instance) => instance.version === version && instance.state === 'Ready'),
  );
  return cold === undefined
    ? undefined
    : `${wanted.name}: default traffic would come to ${cold}, of which no ready endpoint is known here yet`;
}

/** The versions that get default traffic. */
function weighed(traffic: Traffic): readonly VersionName[] {
  switch (traffic.kind) {
    case 'none':
      return [];
    case 'steady':
      return [traffic.primary];
    case 'shifting':
      return [
        ...(traffic.weight < 100 ? [traffic.primary] : []),
        ...(traffic.weight > 0 ? [traffic.candidate] : []),
      ];
  }
}
