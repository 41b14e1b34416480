/** Requests added up by version and by what sent them there, and default requests over time. Pure. */
import { type Instant, instant } from '../model/instant.ts';
import type { TimelinePoint, VersionTraffic } from '../model/report.ts';
import { TRAFFIC_ROUTES, TRAFFIC_SPAN, type TrafficCount, type TrafficResult } from '../model/traffic.ts';
import { addDurations, quantile } from './durations.ts';

/** Points of a timeline at most: what a plot can show. */
const MOST_POINTS = 240;
/** Results that a client would call a failure. Who left, or was refused what is not there, was not failed. */
const FAILURES: ReadonlySet<TrafficResult> = new Set(['ServerError', 'Unavailable', 'Cut']);

/** One row for each version and route, by route and then by version. */
export function versionRows(counts: readonly TrafficCount[]): readonly VersionTraffic[] {
  const groups = Map.groupBy(counts, ({ version, route }) => `${version ?? ''}/${route}`);
  return [...groups.values()]
    .map(rowOf)
    .toSorted(
      (left, right) =>
        TRAFFIC_ROUTES.indexOf(left.route) - TRAFFIC_ROUTES.indexOf(right.route) ||
        ((left.version ?? '') < (right.version ?? '') ? -1 : 1),
    );
}

function rowOf(counts: readonly TrafficCount[]): VersionTraffic {
  const { version, route } = counts[0] ?? { route: 'Default' as const, version: undefined };
  const results: Partial<Record<TrafficResult, number>> = {};
  for (const { result, requests } of counts) results[result] = (results[result] ?? 0) + requests;
  // Who left before the end says nothing about how long an answer takes.
  const answered = counts.filter(({ result }) => result !== 'ClientGone' && result !== 'Cut');
  const durations = addDurations(answered.map((count) => count.durations));
  const [p50, p99] = [quantile(durations, 0.5), quantile(durations, 0.99)];
  return {
    ...(version === undefined ? {} : { version }),
    route,
    requests: sum(counts, ({ requests }) => requests),
    results,
    retries: sum(counts, ({ retries }) => retries),
    ...(p50 === undefined ? {} : { p50 }),
    ...(p99 === undefined ? {} : { p99 }),
    durations,
  };
}

/** Adds one number of each count. */
export function sum(counts: readonly TrafficCount[], of: (count: TrafficCount) => number): number {
  return counts.reduce((all, count) => all + of(count), 0);
}

/**
 * Default requests and their failures by version, from the beginning of the window to its end, without holes: a time in
 * which nothing came is a point with nothing in it. Long windows have fewer, longer points.
 */
export function timelineOf(
  counts: readonly TrafficCount[],
  window: { readonly from: Instant; readonly to: Instant },
): readonly TimelinePoint[] {
  const spans = Math.max(1, Math.ceil((window.to - window.from) / TRAFFIC_SPAN));
  const length = TRAFFIC_SPAN * Math.ceil(spans / MOST_POINTS);
  const points = Array.from({ length: Math.ceil((window.to - window.from) / length) }, (_, index) => ({
    at: instant(window.from + index * length),
    requests: {} as Record<string, number>,
    errors: {} as Record<string, number>,
  }));
  for (const { route, version, result, requests, from } of counts) {
    const point = points[Math.floor((from - window.from) / length)];
    if (route !== 'Default' || version === undefined || point === undefined) continue;
    point.requests[version] = (point.requests[version] ?? 0) + requests;
    if (FAILURES.has(result)) point.errors[version] = (point.errors[version] ?? 0) + requests;
  }
  return points;
}
