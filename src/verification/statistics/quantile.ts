/**
 * Quantiles of a histogram, with the interval that the number of observations allows. Inside a bucket observations are
 * taken as spread evenly, as Prometheus' histogram_quantile does; above the highest bound nothing is known, so its bound
 * is answered. The interval is Wilson's for the share of observations below, read off the same curve.
 */
import type { Bucket } from '../../model/measurement.ts';
import { type Estimate, wilson } from './proportions.ts';

/** The number of observations of a histogram. */
export function observations(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, bucket) => sum + bucket.count, 0);
}

/** The value that the share `quantile` (0 to 1) of the observations does not exceed. NaN where there are none. */
export function quantile(buckets: readonly Bucket[], share: number): number {
  const wanted = share * observations(buckets);
  if (wanted === 0 && observations(buckets) === 0) return Number.NaN;
  let from = (buckets[0]?.upTo ?? 0) > 0 ? 0 : (buckets[0]?.upTo ?? 0);
  let seen = 0;
  for (const { upTo, count } of buckets) {
    if (count > 0 && seen + count >= wanted) {
      return upTo === null ? from : from + (upTo - from) * Math.max(0, (wanted - seen) / count);
    }
    seen += count;
    from = upTo ?? from;
  }
  return from;
}

/** The quantile with its interval; `z` is the normal point of one end (1.96 for 95 percent). */
export function quantileEstimate(buckets: readonly Bucket[], share: number, z: number): Estimate {
  const total = observations(buckets);
  const { low, high } = wilson({ events: share * total, total }, z);
  return {
    value: quantile(buckets, share),
    low: quantile(buckets, low),
    high: quantile(buckets, high),
  };
}
