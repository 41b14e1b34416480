/**
 * By what factor the candidate's values are larger: the factor by which the baseline must be scaled until neither side is
 * above the other. This is the estimate of Hodges and Lehmann for factors, taken from all buckets, so that one wide
 * bucket around a quantile does not hide a shift. Inside a bucket the distribution is a smooth curve through its bounds, because
 * taking observations as spread evenly makes a shift of 1.2 look like 1.14 in Envoy's wide buckets.
 */
import { type SharedBucket, totals } from './tallies.ts';

/** The baseline's distribution at the bounds of its buckets. */
interface Curve {
  readonly buckets: readonly SharedBucket[];
  /** The share of observations up to each bucket's upper bound. */
  readonly shares: Float64Array;
  /** How steep the curve is there, by the logarithm of the value. */
  readonly slopes: Float64Array;
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
  return { buckets, shares, slopes: slopesOf(buckets, shares) };
}

/**
 * Slopes at the bounds that keep the curve from ever falling: the weighted harmonic mean of the slopes of the buckets on
 * both sides (Fritsch and Butland 1984). Flat where one of them is empty or has no width.
 */
function slopesOf(buckets: readonly SharedBucket[], shares: Float64Array): Float64Array {
  const slopes = new Float64Array(buckets.length);
  for (let index = 1; index + 1 < buckets.length; index++) {
    const left = widthOf(buckets[index]);
    const right = widthOf(buckets[index + 1]);
    const rise = ((shares[index] ?? 0) - (shares[index - 1] ?? 0)) / left;
    const next = ((shares[index + 1] ?? 0) - (shares[index] ?? 0)) / right;
    if (!(rise > 0 && next > 0)) continue;
    slopes[index] = (3 * (left + right)) / ((2 * right + left) / rise + (right + 2 * left) / next);
  }
  return slopes;
}

/** The width of a bucket by the logarithm; Infinity where it has no end or begins at 0. */
function widthOf(bucket: SharedBucket | undefined): number {
  return bucket === undefined || bucket.from <= 0 ? Infinity : Math.log(bucket.upTo / bucket.from);
}

/** The candidate's values relative to the baseline's, from 0.01 to 100: 1 where alike, 2 where all are twice as large. */
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

/** The share of the baseline's observations up to a value: exact at the bounds, a smooth cubic between them. */
function shareUpTo({ buckets, shares, slopes }: Curve, value: number): number {
  const index = buckets.findIndex(({ upTo }) => value < upTo);
  if (index < 0) return 1;
  const bucket = buckets[index];
  const below = index === 0 ? 0 : (shares[index - 1] ?? 0);
  if (bucket === undefined || value <= bucket.from || bucket.upTo === Infinity) return below;
  const rise = (shares[index] ?? 0) - below;
  const width = widthOf(bucket);
  if (width === Infinity) return below + (rise * (value - bucket.from)) / (bucket.upTo - bucket.from);
  const t = Math.log(value / bucket.from) / width;
  const start = width * (slopes[index - 1] ?? 0);
  const end = width * (slopes[index] ?? 0);
  return below + rise * t * t * (3 - 2 * t) + start * t * (1 - t) ** 2 - end * t * t * (1 - t);
}
