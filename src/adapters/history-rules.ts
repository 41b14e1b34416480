/**
 * What every store checks before it keeps measurements and counts of requests, or answers for them: the caller's values
 * enter, and nothing happens or the reason why they are refused is thrown. One place, so that all stores refuse alike.
 */
import type { Measurement } from '../model/measurement.ts';
import type { TrafficCount, TrafficCoverage } from '../model/traffic.ts';
import type { RolloutQuery } from '../ports/store.ts';
import { storedMeasurement } from './stored/measurement.ts';
import { assertReadable } from './stored/shape.ts';
import { storedCoverage, storedTrafficCount } from './stored/traffic.ts';

/** Refuses a query that no store can answer. Throws RangeError. */
export function checkRolloutQuery({ limit }: RolloutQuery): void {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`limit must be a whole number of at least 1, not ${limit}`);
  }
}

/** Refuses a measurement that could not be read back. Throws TypeError. */
export function checkMeasurements(measurements: readonly Measurement[]): void {
  for (const measurement of measurements) {
    const { check, step, rollout } = measurement;
    assertReadable(storedMeasurement, measurement, `the measurement of ${check} at ${step} of ${rollout}`);
  }
}

/** Refuses counts of which one names the place of another (one of the two would be lost) or could not be read back. Throws TypeError. */
export function checkTraffic(counts: readonly TrafficCount[]): void {
  const named = new Set<string>();
  for (const count of counts) {
    const key = `${count.service} ${trafficKey(count)}`;
    if (named.has(key)) throw new TypeError(`the list has two counts of ${key}`);
    named.add(key);
    assertReadable(storedTrafficCount, count, `the count of ${key}`);
  }
}

/** Refuses a coverage that ends before it began or could not be read back. Throws RangeError, TypeError. */
export function checkCoverage(coverage: TrafficCoverage): void {
  const { from, to } = coverage;
  if (to < from) throw new RangeError(`a coverage cannot end at ${to}, before it began at ${from}`);
  assertReadable(storedCoverage, coverage, `the coverage from ${from}`);
}

/** What a count of a service counts: a later one with the same key takes its place. */
export function trafficKey({ from, version, route, result }: TrafficCount): string {
  return `${from} ${version ?? '-'} ${route} ${result}`;
}

/** In order of time, and for one span always in the same order. */
export function byTime(one: TrafficCount, other: TrafficCount): number {
  return one.from - other.from || (trafficKey(one) < trafficKey(other) ? -1 : 1);
}
