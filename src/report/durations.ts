/** Durations of requests by bucket of DURATION_BOUNDS: sums, and quantiles that are as exact as the buckets. Pure. */
import type { Milliseconds } from '../model/instant.ts';
import { DURATION_BOUNDS } from '../model/traffic.ts';

/** Buckets are this much apart; the last one, which has no bound, is taken to be as wide. */
const STEP = 1.22;

/** Where a bucket begins and ends, in milliseconds. */
export function bucketEdges(bucket: number): { readonly from: Milliseconds; readonly to: Milliseconds } {
  const from = bucket === 0 ? 0 : (DURATION_BOUNDS[bucket - 1] ?? 0);
  return { from, to: DURATION_BOUNDS[bucket] ?? from * STEP };
}

/** Adds counts bucket by bucket. */
export function addDurations(lists: readonly (readonly number[])[]): readonly number[] {
  const sum: number[] = DURATION_BOUNDS.map(() => 0).concat(0);
  for (const list of lists) {
    for (const [bucket, count] of list.entries()) sum[bucket] = (sum[bucket] ?? 0) + count;
  }
  return sum;
}

/** How many durations there are. */
export function total(durations: readonly number[]): number {
  return durations.reduce((sum, count) => sum + count, 0);
}

/**
 * The duration that a share of the requests does not exceed, in milliseconds; undefined where there is none. Within a
 * bucket requests are taken to be spread evenly, as Prometheus' histogram_quantile does.
 */
export function quantile(durations: readonly number[], share: number): Milliseconds | undefined {
  const all = total(durations);
  if (all === 0) return undefined;
  let below = 0;
  for (const [bucket, count] of durations.entries()) {
    if (count > 0 && below + count >= share * all) {
      const { from, to } = bucketEdges(bucket);
      return rounded(from + ((to - from) * (share * all - below)) / count);
    }
    below += count;
  }
  return undefined;
}

/** Three digits: what the buckets can tell. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
