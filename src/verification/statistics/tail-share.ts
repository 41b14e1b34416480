/**
 * Whether more of the candidate's observations lie in the tail: those above a bound of the histogram, compared as two
 * proportions. The rank test looks at the whole distribution and may miss that the slowest hundredth grew slower; this
 * looks there only. The bound is chosen by both sides' data added up, so the exact test stays exact.
 */
import type { Significance } from './mann-whitney.ts';
import { fisher } from './proportions.ts';
import { type SharedBucket, totals } from './tallies.ts';

/** The test at one bound, with the share of the candidate's observations above it. */
export interface TailTest extends Significance {
  readonly bound: number;
  readonly candidate: number;
}

/** Tests the share above the bound that leaves nearest to `1 - quantile` of all above it; undefined without such a bound. */
export function tailTest(buckets: readonly SharedBucket[], quantile: number): TailTest | undefined {
  const all = totals(buckets);
  let nearest = Infinity;
  let chosen: { readonly bound: number; readonly candidate: number; readonly baseline: number } | undefined;
  let { candidate, baseline } = all;
  for (const bucket of buckets) {
    candidate -= bucket.candidate;
    baseline -= bucket.baseline;
    if (candidate + baseline === 0) break;
    const share = (candidate + baseline) / (all.candidate + all.baseline);
    const distance = Math.abs(Math.log(share / (1 - quantile)));
    if (distance >= nearest) continue;
    nearest = distance;
    chosen = { bound: bucket.upTo, candidate, baseline };
  }
  if (chosen === undefined) return undefined;
  const test = fisher(
    { events: chosen.candidate, total: all.candidate },
    { events: chosen.baseline, total: all.baseline },
  );
  return { ...test, bound: chosen.bound, candidate: chosen.candidate / all.candidate };
}
