/**
 * What both sides observed, in order, as one table: how often each value, or each bucket, was seen by the candidate and
 * by the baseline. Numbers and histograms become the same table, so that one rank test serves both: a bucket is a tie.
 */
import type { Bucket } from '../../model/measurement.ts';

/** One value, or the values of one bucket. Tables are ordered by value, ascending, and no value is twice in one. */
export interface Tally {
  /** The value; of a bucket, a value in its middle. */
  readonly value: number;
  readonly candidate: number;
  readonly baseline: number;
}

/** A bucket with the counts of both sides: values above `from` and up to `upTo`, which may be Infinity. */
export interface SharedBucket extends Tally {
  readonly from: number;
  readonly upTo: number;
}

/** How many observations each side has. */
export function totals(tallies: readonly Tally[]): { readonly candidate: number; readonly baseline: number } {
  let candidate = 0;
  let baseline = 0;
  for (const tally of tallies) {
    candidate += tally.candidate;
    baseline += tally.baseline;
  }
  return { candidate, baseline };
}

/** The table of two lists of numbers. */
export function tallyNumbers(candidate: readonly number[], baseline: readonly number[]): Tally[] {
  const ours = Map.groupBy(candidate, (value) => value);
  const theirs = Map.groupBy(baseline, (value) => value);
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .toSorted((a, b) => a - b)
    .map((value) => ({
      value,
      candidate: ours.get(value)?.length ?? 0,
      baseline: theirs.get(value)?.length ?? 0,
    }));
}

/** Adds up histograms of one metric. Where their bounds differ, only bounds that all of them have are kept. */
export function addBuckets(histograms: readonly (readonly Bucket[])[]): readonly Bucket[] {
  const [first = [], ...others] = histograms;
  if (others.every((other) => haveSameBounds(first, other))) {
    return first.map(({ upTo, count }, index) => ({
      upTo,
      count: others.reduce((sum, other) => sum + (other[index]?.count ?? 0), count),
    }));
  }
  const kept = first
    .map((bucket) => bucket.upTo)
    .filter((bound) => others.every((other) => other.some((bucket) => bucket.upTo === bound)));
  const last = histograms.some((histogram) => top(histogram) > top(kept.map((upTo) => ({ upTo, count: 0 }))));
  const bounds = (last ? [...kept, null] : kept).map((upTo) => upTo ?? Infinity).toSorted((a, b) => a - b);
  const counts = bounds.map(() => 0);
  for (const { upTo, count } of histograms.flat()) {
    const place = bounds.findIndex((bound) => (upTo ?? Infinity) <= bound);
    counts[place] = (counts[place] ?? 0) + count;
  }
  return bounds.map((bound, index) => ({
    upTo: bound === Infinity ? null : bound,
    count: counts[index] ?? 0,
  }));
}

function haveSameBounds(a: readonly Bucket[], b: readonly Bucket[]): boolean {
  return a.length === b.length && a.every(({ upTo }, index) => upTo === b[index]?.upTo);
}

/** The highest bound of a histogram. */
function top(histogram: readonly Bucket[]): number {
  return Math.max(-Infinity, ...histogram.map((bucket) => bucket.upTo ?? Infinity));
}

/** The table of two histograms, by the bounds that both have. */
export function shareBuckets(candidate: readonly Bucket[], baseline: readonly Bucket[]): SharedBucket[] {
  const none = (histogram: readonly Bucket[]) => histogram.map((bucket) => ({ ...bucket, count: 0 }));
  const own = addBuckets([candidate, none(baseline)]);
  const other = addBuckets([none(candidate), baseline]);
  return own.map((bucket, index) => {
    const upTo = bucket.upTo ?? Infinity;
    const below = own[index - 1]?.upTo;
    const from = below ?? (upTo > 0 ? 0 : -Infinity);
    return {
      from,
      upTo,
      value: middle(from, upTo),
      candidate: bucket.count,
      baseline: other[index]?.count ?? 0,
    };
  });
}

/** A value inside of a bucket: the geometric mean of its bounds where it can be had, since buckets grow by factors. */
function middle(from: number, upTo: number): number {
  if (upTo === Infinity) return from;
  if (from === -Infinity) return upTo;
  return from > 0 ? Math.sqrt(from * upTo) : (from + upTo) / 2;
}
