/**
 * Histograms, such as latencies: the rank test on the buckets; for a quantile in the tail also the share of observations
 * there; and where the check asks, the spread. What counts as effect is the growth of the check's own quantile.
 */
import type { Comparison } from '../model/check.ts';
import type { Bucket } from '../model/measurement.ts';
import type { AddedUp } from './added-up.ts';
import {
  type Ask,
  type Compared,
  directions,
  ends,
  pOf,
  relative,
  type Shown,
  shift,
  smallest,
} from './compared.ts';
import { mannWhitney } from './statistics/mann-whitney.ts';
import { normalPoint } from './statistics/normal.ts';
import { difference } from './statistics/proportions.ts';
import { quantile, quantileEstimate } from './statistics/quantile.ts';
import { smallestScale } from './statistics/smallest-effect.ts';
import { spreadTest } from './statistics/spread.ts';
import { tailTest } from './statistics/tail-share.ts';
import { type SharedBucket, shareBuckets } from './statistics/tallies.ts';

/** The share of observations at either end that the measured spread leaves out. */
const OUTER = 0.1;

/** Compares two distributions. */
export function compareHistograms(
  { candidate, baseline }: Extract<AddedUp, { kind: 'histogram' }>,
  ask: Ask,
): Compared {
  const share = ask(1).subject.quantile;
  const looksAtTail = share > 0.5;
  const { comparison, level } = ask(1 + Number(looksAtTail) + Number(ask(1).comparison.variance));
  const { tolerance } = comparison;
  const buckets = shareBuckets(candidate, baseline);
  const z = normalPoint(level);
  const ours = quantileEstimate(candidate, share, z);
  const theirs = quantileEstimate(baseline, share, z);
  const effect = relative(ours.value, theirs.value);
  const tests = [mannWhitney(buckets), ...(looksAtTail ? [tailTest(buckets, share)] : [])];
  const asked = directions(comparison.bad);
  const shifts = asked.flatMap((direction) =>
    shift(direction, {
      p: Math.min(...tests.map((test) => pOf(direction, test))),
      effect,
      level,
      tolerance,
    }),
  );
  const spread = comparison.variance ? widened({ candidate, baseline, buckets }, comparison, level) : [];
  return {
    value: ours.value,
    baseline: theirs.value,
    ...ends(difference(ours, theirs)),
    ...smallest(asked.map((direction) => smallestScale(buckets, direction, { level, tolerance }))),
    shown: [...shifts, ...spread],
  };
}

/** A spread that grew: beyond chance, by the tolerance, and on the bad side; a candidate that only got better is not spread. */
function widened(
  {
    candidate,
    baseline,
    buckets,
  }: {
    candidate: readonly Bucket[];
    baseline: readonly Bucket[];
    buckets: readonly SharedBucket[];
  },
  { bad, tolerance }: Comparison,
  level: number,
): readonly Shown[] {
  const growth = relative(spreadOf(candidate), spreadOf(baseline));
  const isBad =
    (bad !== 'Decrease' && quantile(candidate, 1 - OUTER) > quantile(baseline, 1 - OUTER)) ||
    (bad !== 'Increase' && quantile(candidate, OUTER) < quantile(baseline, OUTER));
  if (!isBad || growth < tolerance || growth <= 0 || spreadTest(buckets).above > level) return [];
  return [{ what: 'Spread', effect: growth }];
}

/** The range of the inner 80 percent, by factors where all is above 0. */
function spreadOf(buckets: readonly Bucket[]): number {
  const low = quantile(buckets, OUTER);
  const high = quantile(buckets, 1 - OUTER);
  return low > 0 ? Math.log(high / low) : high - low;
}
