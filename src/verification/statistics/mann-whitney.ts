/**
 * The rank test of Mann and Whitney: is one side's distribution above the other's? It asks for no shape, and takes ties
 * by mid-ranks, so it works on the buckets of a histogram too. Small samples are counted out exactly over all
 * permutations; larger ones use the normal approximation with the tie and continuity corrections.
 * Sources: Mann and Whitney 1947; Lehmann, Nonparametrics (1975), sections 1.4 and 1.5.
 */
import { normalTail } from './normal.ts';
import { type Tally, totals } from './tallies.ts';

/** One-sided p-values: how likely data as extreme as this is where both sides are alike. */
export interface Significance {
  /** That the candidate is above the baseline. */
  readonly above: number;
  /** That it is below. */
  readonly below: number;
}

export interface RankTest extends Significance {
  /** The chance that a candidate's observation is above a baseline's, ties counted half: 0.5 where they are alike. */
  readonly superiority: number;
  /** The standard deviation of `superiority` where both sides are alike, with these ties. */
  readonly deviation: number;
}

/** Up to here all permutations are counted; above, the approximation is good to the third digit. */
const EXACT_UP_TO = 30;

/** Compares the two sides of a table. Each needs at least one observation, or nothing is significant. */
export function mannWhitney(tallies: readonly Tally[]): RankTest {
  const { candidate, baseline } = totals(tallies);
  const pairs = candidate * baseline;
  if (pairs === 0) return { superiority: 0.5, deviation: 0, above: 1, below: 1 };
  const all = candidate + baseline;
  let wins = 0;
  let seen = 0;
  let ties = 0;
  for (const tally of tallies) {
    wins += tally.candidate * (seen + tally.baseline / 2);
    seen += tally.baseline;
    const tied = tally.candidate + tally.baseline;
    ties += tied ** 3 - tied;
  }
  const deviation = all < 2 ? 0 : Math.sqrt((pairs / 12) * (all + 1 - ties / (all * (all - 1))));
  const significance =
    all <= EXACT_UP_TO
      ? countPermutations(tallies, wins)
      : { above: approximate(wins - pairs / 2, deviation), below: approximate(pairs / 2 - wins, deviation) };
  return { superiority: wins / pairs, deviation: deviation / pairs, ...significance };
}

/** The p-value of an excess of wins; half a win is the continuity correction. */
function approximate(excess: number, deviation: number): number {
  return deviation === 0 ? 1 : normalTail((excess - 0.5) / deviation);
}

/**
 * The share of all ways to deal these observations to the two sides that give at least, and at most, as many wins.
 * Counted by doubled rank sums, which are whole numbers also with ties.
 */
function countPermutations(tallies: readonly Tally[], wins: number): Significance {
  const { candidate, baseline } = totals(tallies);
  const all = candidate + baseline;
  const largest = all * (all + 1);
  /** ways[k][sum]: ways to choose k of the observations seen so far with that doubled rank sum. */
  const ways = Array.from({ length: candidate + 1 }, () => new Float64Array(largest + 1));
  if (ways[0] !== undefined) ways[0][0] = 1;
  let seen = 0;
  for (const tally of tallies) {
    const tied = tally.candidate + tally.baseline;
    const doubledRank = 2 * seen + tied + 1;
    for (let each = 0; each < tied; each++) addObservation(ways, doubledRank);
    seen += tied;
  }
  const observed = Math.round(2 * wins) + candidate * (candidate + 1);
  const counts = ways[candidate] ?? new Float64Array();
  const total = counts.reduce((sum, count) => sum + count, 0);
  const upTo = (end: number) => counts.subarray(0, end).reduce((sum, count) => sum + count, 0);
  return { above: 1 - upTo(observed) / total, below: upTo(observed + 1) / total };
}

function addObservation(ways: readonly Float64Array[], doubledRank: number): void {
  for (let chosen = ways.length - 1; chosen >= 1; chosen--) {
    const fewer = ways[chosen - 1];
    const here = ways[chosen];
    if (fewer === undefined || here === undefined) continue;
    for (let sum = here.length - 1; sum >= doubledRank; sum--) {
      here[sum] = (here[sum] ?? 0) + (fewer[sum - doubledRank] ?? 0);
    }
  }
}
