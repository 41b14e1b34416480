/**
 * By what factor the candidate's values are larger: the factor by which the baseline must be scaled until neither side is
 * above the other. This is the estimate of Hodges and Lehmann for factors, taken from all buckets, so that one wide bucket around
 * a quantile does not hide a shift. Inside a bucket observations are taken as spread evenly.
 */
import { type SharedBucket, totals } from './tallies.ts';

/** The baseline's distribution at the bounds of its buckets. */
interface Curve {
  readonly buckets: readonly SharedBucket[];
  /** The share of observations up to each bucket's upper bound. */
  readonly shares: Float64Array;
}

/** The curve of the baseline's observations. */
export function curve(buckets: readonly SharedBucket[]): Curve {
  const { baseline } = totals(buckets);
  const shares = new Float64Array(buckets.length);
  let seen = 0;
  for (const [index, bucket] of buckets.entries()) {
    seen += bucket.baseline;
    shares[index] = seen / baseline;
  }
  return { buckets, shares };
}

/** The candidate's values relative to the baseline's: 1 where they are alike, 2 where all are twice as large. From 0.01 to 100. */
export function scaleEstimate(buckets: readonly SharedBucket[]): number {
  const baseline = curve(buckets);
  const candidates = totals(buckets).candidate;
  const isAbove = (factor: number) => {
    let wins = 0;
    for (const { candidate, from, upTo } of buckets) {
      if (candidate > 0) {
        wins += candidate * (shareUpTo(baseline, from / factor) + shareUpTo(baseline, upTo / factor));
      }
    }
    return wins / 2 / candidates > 0.5;
  };
  let low = Math.log(0.01);
  let high = Math.log(100);
  for (let round = 0; round < 30; round++) {
    const middle = (low + high) / 2;
    if (isAbove(Math.exp(middle))) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** The chance that the baseline, scaled by a factor and seen through the same buckets, is above itself unscaled. */
export function scaledSuperiority(baseline: Curve, factor: number): number {
  let sum = 0;
  let below = 0;
  for (const [index, { from, upTo }] of baseline.buckets.entries()) {
    const upToHere = baseline.shares[index] ?? 0;
    const moved = shareUpTo(baseline, upTo / factor) - shareUpTo(baseline, from / factor);
    sum += (moved * (below + upToHere)) / 2;
    below = upToHere;
  }
  return sum;
}

/** The share of the baseline's observations up to a value, also inside of buckets. */
function shareUpTo({ buckets, shares }: Curve, value: number): number {
  let below = 0;
  for (let index = 0; index < buckets.length; index++) {
    const bucket = buckets[index];
    const share = shares[index] ?? 0;
    if (bucket === undefined || value < bucket.upTo) {
      const { from, upTo } = bucket ?? { from: 0, upTo: Infinity };
      if (value <= from || upTo === Infinity) return below;
      return below + ((share - below) * (value - from)) / (upTo - from);
    }
    below = share;
  }
  return below;
}
