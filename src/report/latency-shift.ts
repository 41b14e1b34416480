/**
 * By how much the candidate is slower than the baseline: the Hodges-Lehmann estimate (the median of all differences
 * between a request of one and a request of the other), with the interval that inverts the Mann-Whitney test (Hollander,
 * Wolfe, Chicken: Nonparametric Statistical Methods, 3rd edition, sections 4.2 and 4.3). Durations come in buckets; within
 * a bucket they are taken to be spread evenly, so the difference of two has a known distribution. Pure.
 */
import type { VersionName } from '../model/names.ts';
import type { Certainty, LatencyShift } from '../model/report.ts';
import type { TrafficCount } from '../model/traffic.ts';
import { addDurations, bucketEdges, rounded, total } from './durations.ts';

/** Requests that each side must have: fewer say nothing. */
const FEWEST = 10;
/** Requests on each side, in the same seconds, that are enough to leave all others out. */
const ENOUGH_AT_ONCE = 30;
/** Half of the 95 percent interval of a normal distribution, in standard deviations. */
const Z = 1.96;
const HALVINGS = 60;

export interface Compared {
  readonly counts: readonly TrafficCount[];
  readonly candidate: VersionName;
  readonly baseline: VersionName;
  /** How sure the counts are. */
  readonly certainty: Certainty;
}

/** The shift of default requests that were answered well; absent where a side has hardly any. */
export function latencyShift({ counts, candidate, baseline, certainty }: Compared): LatencyShift | undefined {
  const answered = counts.filter(({ route, result }) => route === 'Default' && result === 'Success');
  const of = (version: VersionName, among: readonly TrafficCount[]) =>
    addDurations(among.filter((count) => count.version === version).map(({ durations }) => durations));
  const atOnce = inSharedSpans(answered, candidate, baseline);
  const together = { candidate: of(candidate, atOnce), baseline: of(baseline, atOnce) };
  const isEnough =
    atOnce.length === answered.length ||
    Math.min(total(together.candidate), total(together.baseline)) >= ENOUGH_AT_ONCE;
  const sides = isEnough
    ? together
    : { candidate: of(candidate, answered), baseline: of(baseline, answered) };
  const samples = { candidate: total(sides.candidate), baseline: total(sides.baseline) };
  if (Math.min(samples.candidate, samples.baseline) < FEWEST) return undefined;
  const { middle, low, high } = shiftOf(sides);
  return {
    milliseconds: rounded(middle),
    low: rounded(low),
    high: rounded(high),
    samples,
    certainty:
      isEnough || certainty.kind === 'NotMeasurable'
        ? certainty
        : { kind: 'Sampled', why: 'the two versions served at different times' },
  };
}

/** The counts of spans in which both versions served. */
function inSharedSpans(
  counts: readonly TrafficCount[],
  candidate: VersionName,
  baseline: VersionName,
): readonly TrafficCount[] {
  const spansOf = (version: VersionName) =>
    new Set(counts.filter((count) => count.version === version).map(({ from }) => from));
  const both = spansOf(candidate).intersection(spansOf(baseline));
  return counts.filter(({ from }) => both.has(from));
}

interface Sides {
  readonly candidate: readonly number[];
  readonly baseline: readonly number[];
}

/** The median of the differences, candidate minus baseline, in milliseconds, and its 95 percent interval. */
export function shiftOf(sides: Sides): {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
} {
  const pairs = pairsOf(sides);
  const [n, m] = [total(sides.candidate), total(sides.baseline)];
  const half = Math.min(0.5, Z * Math.sqrt((n + m + 1) / (12 * n * m)));
  const at = (share: number): number => quantileOfDifferences(pairs, share * n * m);
  return { middle: at(0.5), low: at(0.5 - half), high: at(0.5 + half) };
}

/** The difference between a value of one bucket and one of another: `weight` pairs, between `from` and `to`. */
interface Pair {
  readonly weight: number;
  readonly from: number;
  readonly to: number;
  /** The widths of the two buckets, the smaller first: the density rises over it, is level, and falls over it. */
  readonly slope: number;
  readonly wide: number;
}

function pairsOf({ candidate, baseline }: Sides): readonly Pair[] {
  const used = (counts: readonly number[]) =>
    counts.flatMap((count, bucket) => (count === 0 ? [] : [{ count, ...bucketEdges(bucket) }]));
  const others = used(baseline);
  return used(candidate).flatMap((one) =>
    others.map((other): Pair => {
      const widths = [one.to - one.from, other.to - other.from] as const;
      return {
        weight: one.count * other.count,
        from: one.from - other.to,
        to: one.to - other.from,
        slope: Math.min(...widths),
        wide: Math.max(...widths),
      };
    }),
  );
}

/** How many of the pair's differences are at most `value`. */
function below({ weight, from, to, slope, wide }: Pair, value: number): number {
  if (value <= from) return 0;
  if (value >= to) return weight;
  const area = 2 * slope * wide;
  const risen = value - from;
  if (risen < slope) return (weight * risen ** 2) / area;
  const left = to - value;
  if (left < slope) return weight * (1 - left ** 2 / area);
  return (weight * (2 * risen - slope) * slope) / area;
}

function quantileOfDifferences(pairs: readonly Pair[], rank: number): number {
  let low = Math.min(...pairs.map(({ from }) => from));
  let high = Math.max(...pairs.map(({ to }) => to));
  for (let step = 0; step < HALVINGS; step += 1) {
    const middle = (low + high) / 2;
    if (pairs.reduce((sum, pair) => sum + below(pair, middle), 0) < rank) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
