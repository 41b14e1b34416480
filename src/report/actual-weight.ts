/** The share of default requests that the candidate really served, beside the weight that it was given. Pure. */
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { TrafficCount } from '../model/traffic.ts';
import { sum } from './by-version.ts';

/** How far back the share looks. */
const ACTUAL_WEIGHT_WINDOW: Milliseconds = 30_000;

/**
 * Percent of the default requests of the last half minute that reached the candidate, among those that reached a version.
 * Absent where there was none. Requests count when they end, so streams of hours lag behind a shift.
 */
export function actualWeight(
  counts: readonly TrafficCount[],
  { candidate, now }: { readonly candidate: VersionName; readonly now: Instant },
): { readonly percent: number; readonly requests: number } | undefined {
  const recent = counts.filter(
    ({ route, version, from }) =>
      route === 'Default' && version !== undefined && from > now - ACTUAL_WEIGHT_WINDOW && from <= now,
  );
  const requests = sum(recent, (count) => count.requests);
  if (requests === 0) return undefined;
  const reached = recent.filter(({ version }) => version === candidate);
  return { percent: (100 * sum(reached, (count) => count.requests)) / requests, requests };
}
