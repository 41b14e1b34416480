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
  const differences = candidate
    .flatMap((ours) => baseline.map((theirs) => ours - theirs))
    .toSorted((a, b) => a - b);
  const value = medianOf(differences);
  const at = (index: number) => differences[index] ?? Number.NaN;
  const cut = outermost(candidate.length, baseline.length, z);
  return cut < 0
    ? { value, low: -Infinity, high: Infinity }
    : { value, low: at(cut), high: at(differences.length - 1 - cut) };
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
