/**
 * When a draining version will probably be empty: its latest counts of open work enter, an instant leaves, or the reason
 * why none can be named. Two courses are tried, since work of a fixed length ends at a steady pace and work of any length
 * ends ever slower; the one that was closer to the counts is followed. Where the data are thin nothing is promised.
 */
import { type Instant, instant, type Milliseconds } from '../model/instant.ts';

/** How much was open at one time. */
export interface OpenCount {
  readonly at: Instant;
  readonly open: number;
}

/** `Drained`: nothing was open any more, first at `at`. */
export type DrainForecast =
  | { readonly kind: 'Drained'; readonly at: Instant }
  | { readonly kind: 'Expected'; readonly at: Instant; readonly because: string }
  | { readonly kind: 'None'; readonly because: string };

/** What is watched for less says nothing about the rest. */
const LEAST_COUNTS = 5;
const LEAST_TIME: Milliseconds = 20_000;
/** Fewer that ended may have been chance. */
const LEAST_ENDED = 3;
/** Nothing is promised further ahead than this many times what was watched. */
const FURTHEST = 10;
/** Two ends are alike where the time until the later one is at most so many times that until the sooner. */
const ALIKE = 2;
/** A course is clearly closer where the squares of the other are so many times as large. */
const CLEARLY = 3;
/** The course that ends ever slower reaches zero when half a piece of work is left. */
const NEARLY_NONE = 0.5;

/** Forecasts from counts that are in the order of their times. Counts before the last rise are left out: they tell of another drain. */
export function drainForecast({
  counts,
  now,
}: {
  readonly counts: readonly OpenCount[];
  readonly now: Instant;
}): DrainForecast {
  const drainedAt = endOf(counts);
  if (drainedAt !== undefined) return { kind: 'Drained', at: drainedAt };
  const falling = sinceHighest(counts);
  const [first, last] = [falling[0], falling.at(-1)];
  if (first === undefined || last === undefined) return none('nothing was counted yet');
  const watched = last.at - first.at;
  const ended = first.open - last.open;
  if (falling.length < LEAST_COUNTS || watched < LEAST_TIME)
    return none('it was watched for too short a time');
  if (ended < LEAST_ENDED) return none(`only ${ended} ended while it was watched`);
  if (now - last.at > watched / 3) return none('the last count is too old');
  if (hasStalled(falling)) return none('nothing has ended for a third of the time that it was watched');
  const [closer, other] = [steady(falling), everSlower(falling)].toSorted(
    (one, another) => one.distance - another.distance,
  );
  if (closer === undefined || other === undefined || closer.zero <= now)
    return none('it should have ended by now');
  if (closer.zero - now > FURTHEST * watched) return none('it falls too slowly to tell');
  if (!isClear(closer, other, now))
    return none('it cannot be told yet whether it falls steadily or ever slower');
  return {
    kind: 'Expected',
    at: instant(Math.ceil(closer.zero)),
    because: `${ended} of ${first.open} ended within ${Math.round(watched / 1000)} s`,
  };
}

function none(because: string): DrainForecast {
  return { kind: 'None', because };
}

/** When the counts became zero; undefined where the last is not. */
function endOf(counts: readonly OpenCount[]): Instant | undefined {
  const lastOpen = counts.findLastIndex(({ open }) => open > 0);
  return counts[lastOpen + 1]?.at;
}

/** The counts from the last one that was highest on. */
function sinceHighest(counts: readonly OpenCount[]): readonly OpenCount[] {
  const highest = Math.max(...counts.map(({ open }) => open));
  return counts.slice(
    Math.max(
      0,
      counts.findLastIndex(({ open }) => open === highest),
    ),
  );
}

function hasStalled(counts: readonly OpenCount[]): boolean {
  const [first, last] = [counts[0], counts.at(-1)];
  if (first === undefined || last === undefined) return true;
  const lastThird = last.at - (last.at - first.at) / 3;
  const before = counts.findLast(({ at }) => at <= lastThird);
  return before === undefined || before.open <= last.open;
}

interface Course {
  /** When nothing is left, in milliseconds since 1970; not finite where that never is. */
  readonly zero: number;
  /** How far it is from the counts: the sum of the squares. */
  readonly distance: number;
}

/** Whether the closer course may be followed: the other is much further from the counts, or ends about then too. */
function isClear(closer: Course, other: Course, now: Instant): boolean {
  const [sooner, later] = [closer.zero - now, other.zero - now].toSorted((one, another) => one - another);
  const isAlike = sooner !== undefined && later !== undefined && sooner > 0 && later / sooner <= ALIKE;
  return isAlike || closer.distance * CLEARLY <= other.distance;
}

/** Work that ends at a steady pace: a straight line. */
function steady(counts: readonly OpenCount[]): Course {
  const { start, slope, at } = line(counts.map((count) => ({ x: count.at, y: count.open, weight: 1 })));
  return {
    zero: slope < 0 ? start - at(start) / slope : Number.POSITIVE_INFINITY,
    distance: distance(counts, at),
  };
}

/** Work of which an equal share ends in equal times: a straight line of the logarithm, weighed so that large counts count as such. */
function everSlower(counts: readonly OpenCount[]): Course {
  const { start, slope, at } = line(
    counts
      .filter(({ open }) => open > 0)
      .map((count) => ({ x: count.at, y: Math.log(count.open), weight: count.open ** 2 })),
  );
  return {
    zero: slope < 0 ? start + (Math.log(NEARLY_NONE) - at(start)) / slope : Number.POSITIVE_INFINITY,
    distance: distance(counts, (x) => Math.exp(at(x))),
  };
}

function distance(counts: readonly OpenCount[], at: (x: number) => number): number {
  return counts.reduce((sum, { at: x, open }) => sum + (at(x) - open) ** 2, 0);
}

/** The line of least weighted squares through points. */
function line(points: readonly { readonly x: number; readonly y: number; readonly weight: number }[]): {
  readonly start: number;
  readonly slope: number;
  readonly at: (x: number) => number;
} {
  const start = points[0]?.x ?? 0;
  const all = points.reduce((sum, { weight }) => sum + weight, 0);
  const meanX = points.reduce((sum, { x, weight }) => sum + weight * (x - start), 0) / all;
  const meanY = points.reduce((sum, { y, weight }) => sum + weight * y, 0) / all;
  const spread = points.reduce((sum, { x, weight }) => sum + weight * (x - start - meanX) ** 2, 0);
  const together = points.reduce(
    (sum, { x, y, weight }) => sum + weight * (x - start - meanX) * (y - meanY),
    0,
  );
  const slope = together / spread;
  return { start, slope, at: (x) => meanY + slope * (x - start - meanX) };
}
