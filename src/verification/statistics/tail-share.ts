/**
 * Whether more of the candidate's observations lie in the tail: those above a bound of the histogram, compared as two
 * proportions. The rank test looks at the whole distribution and may miss that the slowest hundredth grew slower; this
 * looks there only. The bound is chosen by both sides' data added up, so the exact test stays exact.
 */
import type { Proportion } from '../../model/measurement.ts';
import type { Significance } from './mann-whitney.ts';
import { fisher } from './proportions.ts';
import { type SharedBucket, totals } from './tallies.ts';

/** Tests the share above the bound whose share of all observations is nearest to `1 - quantile`. */
export function tailTest(buckets: readonly SharedBucket[], quantile: number): Significance {
  const { candidate, baseline } = totals(buckets);
  let best:
    | { readonly distance: number; readonly candidate: Proportion; readonly baseline: Proportion }
    | undefined;
  let ours = candidate;
  let theirs = baseline;
  for (const bucket of buckets) {
    ours -= bucket.candidate;
    theirs -= bucket.baseline;
    if (ours + theirs === 0) break;
    const share = (ours + theirs) / (candidate + baseline);
    const distance = Math.abs(Math.log(share / (1 - quantile)));
    if (best === undefined || distance < best.distance) {
      best = {
        distance,
        candidate: { events: ours, total: candidate },
        baseline: { events: theirs, total: baseline },
      };
    }
  }
  return best === undefined ? { above: 1, below: 1 } : fisher(best.candidate, best.baseline);
}
