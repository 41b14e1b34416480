/**
 * Histograms, such as latencies. The rank test on all buckets finds a shift, and is given most of the chance of a false
 * alarm; for a quantile in the tail, the share of observations there is tested too; and where the check asks, the spread.
 */
import type { Bucket } from '../model/measurement.ts';
import type { AddedUp } from './added-up.ts';
import {
  type Compared,
  type Direction,
  directions,
  ends,
  type Question,
  relative,
  type Shown,
  smallest,
  toward,
} from './compared.ts';
import { mannWhitney } from './statistics/mann-whitney.ts';
import { normalPoint } from './statistics/normal.ts';
import { difference } from './statistics/proportions.ts';
import { quantile, quantileEstimate } from './statistics/quantile.ts';
import { scaleEstimate } from './statistics/scale.ts';
import { smallestScale } from './statistics/smallest-effect.ts';
import { spreadTest } from './statistics/spread.ts';
import { tailTest } from './statistics/tail-share.ts';
import { type SharedBucket, shareBuckets } from './statistics/tallies.ts';

/** The shares of the chance of a false alarm for the tail and the spread, where they are asked; the shift has the rest. */
const TAIL_SHARE = 0.2;
const SPREAD_SHARE = 0.2;
/** The share of observations at either end that the measured spread leaves out. */
const OUTER = 0.1;

type Histograms = Extract<AddedUp, { kind: 'histogram' }>;

/** Compares two distributions; their value is the quantile that the check names. */
export function compareHistograms(histograms: Histograms, question: Question): Compared {
  const { bad, tolerance, variance } = question.comparison;
  const share = question.subject.quantile;
  const asksTail = share > 0.5;
  const buckets = shareBuckets(histograms.candidate, histograms.baseline);
  const level = question.level(1 - (asksTail ? TAIL_SHARE : 0) - (variance ? SPREAD_SHARE : 0));
  const z = normalPoint(level);
  const ours = quantileEstimate(histograms.candidate, share, z);
  const theirs = quantileEstimate(histograms.baseline, share, z);
  const sides = { ours: ours.value, theirs: theirs.value, buckets, level };
  return {
    value: ours.value,
    baseline: theirs.value,
    ...ends(difference(ours, theirs)),
    ...smallest(directions(bad).map((direction) => smallestScale(buckets, direction, { level, tolerance }))),
    shown: [
      ...directions(bad).flatMap((direction) => shifted(sides, direction, tolerance)),
      ...(asksTail
        ? directions(bad).flatMap((direction) => tailMoved(histograms, buckets, direction, question))
        : []),
      ...(variance ? widened(histograms, buckets, question) : []),
    ],
  };
}

/** A shift of the whole: the check's own quantile must not have gone the other way. */
function shifted(
  sides: { ours: number; theirs: number; buckets: readonly SharedBucket[]; level: number },
  direction: Direction,
  tolerance: number,
): readonly Shown[] {
  const { ours, theirs, buckets, level } = sides;
  if (toward(direction, mannWhitney(buckets)) > level) return [];
  if (direction === 'Increase' ? ours < theirs : ours > theirs) return [];
  // A scale exists for values above 0 only; otherwise the quantile tells.
  const isPositive = (buckets[0]?.from ?? -1) >= 0;
  const growth = isPositive ? scaleEstimate(buckets) - 1 : relative(ours, theirs);
  const effect = direction === 'Increase' ? growth : -growth;
  return effect < tolerance ? [] : [{ what: direction === 'Increase' ? 'Above' : 'Below', effect }];
}

/** More of the candidate's observations in the tail; the effect is how far the baseline's tail had to move to hold as many. */
function tailMoved(
  { baseline }: Histograms,
  buckets: readonly SharedBucket[],
  direction: Direction,
  { comparison, subject, level }: Question,
): readonly Shown[] {
  const test = tailTest(buckets, subject.quantile);
  if (test === undefined || toward(direction, test) > level(TAIL_SHARE)) return [];
  const growth = relative(test.bound, quantile(baseline, 1 - test.candidate));
  const effect = direction === 'Increase' ? growth : -growth;
  return effect < comparison.tolerance ? [] : [{ what: 'Tail', effect }];
}

/** A spread that grew, and on the bad side: a candidate that only got better at one end is no worse. */
function widened(
  { candidate, baseline }: Histograms,
  buckets: readonly SharedBucket[],
  { comparison: { bad, tolerance }, level }: Question,
): readonly Shown[] {
  const effect = relative(spreadOf(candidate), spreadOf(baseline));
  const isBad =
    (bad !== 'Decrease' && quantile(candidate, 1 - OUTER) > quantile(baseline, 1 - OUTER)) ||
    (bad !== 'Increase' && quantile(candidate, OUTER) < quantile(baseline, OUTER));
  if (!isBad || effect < tolerance || spreadTest(buckets).above > level(SPREAD_SHARE)) return [];
  return [{ what: 'Spread', effect }];
}

/** The range of the inner 80 percent, by factors where all is above 0. */
function spreadOf(buckets: readonly Bucket[]): number {
  const low = quantile(buckets, OUTER);
  const high = quantile(buckets, 1 - OUTER);
  return low > 0 ? Math.log(high / low) : high - low;
}
