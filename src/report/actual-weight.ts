/** The share of default requests that the candidate really served, beside the weight that it was given. Pure. */
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { TrafficCount } from '../model/traffic.ts';
import { sum } from './by-version.ts';

/** How far back the share looks. */
export const ACTUAL_WEIGHT_WINDOW: Milliseconds = 30_000;

/**
 * Percent of the default requests of the last half minute that reached the candidate, among those that reached it or the
 * primary. Absent where there was none. Requests count when they end, so streams of hours lag behind a shift.
 */
export function actualWeight(
  counts: readonly TrafficCount[],
  among: { readonly primary: VersionName; readonly candidate: VersionName; readonly now: Instant },
): { readonly percent: number; readonly requests: number } | undefined {
  const recent = counts.filter(
    ({ route, from }) => route === 'Default' && from > among.now - ACTUAL_WEIGHT_WINDOW && from <= among.now,
  );
  const of = (version: VersionName): number =>
    sum(
      recent.filter((count) => count.version === version),
      ({ requests }) => requests,
    );
  const requests = of(among.candidate) + (among.candidate === among.primary ? 0 : of(among.primary));
  if (requests === 0) return undefined;
  return { percent: (100 * of(among.candidate)) / requests, requests };
}
