/**
 * By how much one list of numbers is shifted against another: the median of all differences, with the interval that goes
 * with the rank test. Sources: Hodges and Lehmann 1963; Moses' interval as in Lehmann, Nonparametrics (1975), 2.6.
 */
import { normalTail } from './normal.ts';
import type { Estimate } from './proportions.ts';

/**
 * The shift of the candidate against the baseline; `z` is the normal point of one end. With too few numbers for `z` the
 * interval has no ends. Both lists hold at least one number.
 */
export function hodgesLehmann(
  candidate: readonly number[],
  baseline: readonly number[],
  z: number,
): Estimate {
  const ours = candidate.toSorted((a, b) => a - b);
  const theirs = baseline.toSorted((a, b) => a - b);
  const last = ours.length * theirs.length - 1;
  const at = (place: number) => differenceAt(ours, theirs, place);
  const value = (at(Math.floor(last / 2)) + at(Math.ceil(last / 2))) / 2;
  const cut = outermost(candidate.length, baseline.length, z);
  return cut < 0 ? { value, low: -Infinity, high: Infinity } : { value, low: at(cut), high: at(last - cut) };
}

/**
 * The difference at a place of the sorted order of all, without making all: in a long soak there are millions. Bisection
 * by value; `upTo` counts the differences up to one in a single pass over both sorted lists.
 */
function differenceAt(ours: readonly number[], theirs: readonly number[], place: number): number {
  const upTo = (difference: number) => {
    let count = 0;
    let first = 0;
    for (const our of ours) {
      while (first < theirs.length && our - (theirs[first] ?? 0) > difference) first++;
      count += theirs.length - first;
    }
    return count;
  };
  let low = (ours[0] ?? 0) - (theirs.at(-1) ?? 0);
  let high = (ours.at(-1) ?? 0) - (theirs[0] ?? 0);
  if (upTo(low) > place) return low;
  for (let round = 0; round < 100; round++) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (upTo(middle) > place) high = middle;
    else low = middle;
  }
  return high;
}

/** How many differences lie outside of the interval at each end; below 0 where even the outermost one is too likely. */
function outermost(candidate: number, baseline: number, z: number): number {
  // The most extreme order of all has the chance 1 / (all orders), whatever the normal approximation says.
  let orders = 1;
  for (let k = 1; k <= baseline; k++) orders *= (candidate + k) / k;
  if (1 / orders > normalTail(z)) return -1;
  const pairs = candidate * baseline;
  const reach = z * Math.sqrt((pairs * (candidate + baseline + 1)) / 12);
  return Math.max(0, Math.floor(pairs / 2 - reach - 0.5));
}

/** The median; NaN of no numbers. */
export function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
}
