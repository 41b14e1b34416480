/**
 * Whether one side is spread wider than the other: the rank test on distances from the common median. The centre is the
 * common one, so that under "both are alike" the two sides stay exchangeable and the test keeps its level, whatever the
 * buckets are. Where only the location differs, both sides' distances grow alike; judging adds that the bad tail must
 * have grown too. The rank form of the tests of Levene 1960 and Brown and Forsythe 1974.
 */
import { mannWhitney, type RankTest } from './mann-whitney.ts';
import { type Tally, totals } from './tallies.ts';

/** `above`: that the candidate is spread wider than the baseline. */
export function spreadTest(tallies: readonly Tally[]): RankTest {
  const centre = median(tallies);
  // Latencies grow by factors, so their distances are ratios; numbers that may be 0 or below have plain distances.
  const isPositive = tallies.every((tally) => tally.value > 0);
  const distance = (value: number) =>
    isPositive ? Math.abs(Math.log(value / centre)) : Math.abs(value - centre);
  const byDistance = tallies
    .map((tally) => ({ ...tally, value: distance(tally.value) }))
    .toSorted((a, b) => a.value - b.value);
  return mannWhitney(joinEqual(byDistance));
}

/** The median of all observations of both sides. */
function median(tallies: readonly Tally[]): number {
  const { candidate, baseline } = totals(tallies);
  let seen = 0;
  for (const [index, tally] of tallies.entries()) {
    seen += tally.candidate + tally.baseline;
    const half = (candidate + baseline) / 2;
    if (seen === half) return (tally.value + (tallies[index + 1]?.value ?? tally.value)) / 2;
    if (seen > half) return tally.value;
  }
  return Number.NaN;
}

/** Values left and right of the centre at the same distance become one tie. */
function joinEqual(sorted: readonly Tally[]): Tally[] {
  const joined: Tally[] = [];
  for (const tally of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && tally.value - last.value <= 1e-12 * Math.abs(tally.value)) {
      joined[joined.length - 1] = {
        value: last.value,
        candidate: last.candidate + tally.candidate,
        baseline: last.baseline + tally.baseline,
      };
    } else {
      joined.push(tally);
    }
  }
  return joined;
}
