/**
 * Simulated requests of a candidate and a baseline over ten windows, seen in two ways: as counts and histogram buckets of
 * each window (what our judge gets), and as a time series of one point for each interval (what Kayenta gets). Both see the
 * same requests.
 */
import type { Bucket, MeasuredData, Proportion } from '../../../src/model/measurement.ts';
import { type Random, random } from './random.ts';

/** Envoy's default histogram buckets, in milliseconds (docs: config.metrics.v3.StatsConfig.histogram_bucket_settings). */
const BOUNDS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000,
  1_800_000, 3_600_000,
];
export const WINDOWS = 10;

/** How one side behaves. Latencies are log-normal: the median in milliseconds, and the deviation of the logarithm. */
export interface Behaviour {
  readonly median: number;
  readonly deviation: number;
  /** The share of requests that fail. */
  readonly errors: number;
}

export interface Scenario {
  readonly baseline: Behaviour;
  readonly candidate: Behaviour;
  /** Requests of each side in each interval, and intervals in each window. */
  readonly requests: number;
  readonly intervals: number;
  /** How many of ten intervals are bad; in the others the candidate behaves as the baseline does. */
  readonly badOfTen: number;
}

/** One side in one window. */
export interface Seen {
  readonly errors: Proportion;
  readonly latencies: readonly Bucket[];
  /** By interval. */
  readonly errorRates: readonly number[];
  readonly means: readonly number[];
  readonly p99s: readonly number[];
}

export interface Window {
  readonly candidate: Seen;
  readonly baseline: Seen;
}

/** Ten windows of one simulated pair. */
export function simulate(scenario: Scenario, seed: number): Window[] {
  const source = random(seed);
  return Array.from({ length: WINDOWS }, (_, window) => {
    const behaviours = Array.from({ length: scenario.intervals }, (__, interval) =>
      ((window * scenario.intervals + interval) * 7) % 10 < scenario.badOfTen
        ? scenario.candidate
        : scenario.baseline,
    );
    return {
      candidate: see(behaviours, scenario.requests, source),
      baseline: see(
        behaviours.map(() => scenario.baseline),
        scenario.requests,
        source,
      ),
    };
  });
}

function see(behaviours: readonly Behaviour[], requests: number, source: Random): Seen {
  const counts = Array.from({ length: BOUNDS.length + 1 }, () => 0);
  const intervals = behaviours.map(({ median, deviation, errors }) => {
    const latencies = new Float64Array(requests);
    let failed = 0;
    for (let each = 0; each < requests; each++) {
      const latency = median * Math.exp(deviation * source.normal());
      latencies[each] = latency;
      const place = bucketOf(latency);
      counts[place] = (counts[place] ?? 0) + 1;
      if (source.uniform() < errors) failed++;
    }
    latencies.sort();
    return {
      failed,
      mean: latencies.reduce((sum, each) => sum + each, 0) / requests,
      p99: latencies[Math.ceil(0.99 * requests) - 1] ?? 0,
    };
  });
  return {
    errors: {
      events: intervals.reduce((sum, { failed }) => sum + failed, 0),
      total: requests * behaviours.length,
    },
    latencies: counts.map((count, index) => ({ upTo: BOUNDS[index] ?? null, count })),
    errorRates: intervals.map(({ failed }) => failed / requests),
    means: intervals.map(({ mean }) => mean),
    p99s: intervals.map(({ p99 }) => p99),
  };
}

function bucketOf(latency: number): number {
  let place = 0;
  while (place < BOUNDS.length && latency > (BOUNDS[place] ?? Infinity)) place++;
  return place;
}

/** A window's errors as our judge gets them. */
export function errorData({ candidate, baseline }: Window): MeasuredData {
  return { kind: 'ratio', candidate: candidate.errors, baseline: baseline.errors };
}

/** A window's latencies as our judge gets them. */
export function latencyData({ candidate, baseline }: Window): MeasuredData {
  return { kind: 'histogram', candidate: candidate.latencies, baseline: baseline.latencies };
}
