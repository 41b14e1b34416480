/** What the comparisons of the three kinds of data take and give. */
import type { Comparison } from '../model/check.ts';
import type { Subject } from './subject.ts';

/** What is asked of the data. */
export interface Question {
  readonly comparison: Comparison;
  /** A one-sided p-value up to this is beyond chance at this look. */
  readonly level: number;
  readonly subject: Subject;
}

/** Makes the question for a number of tests, among which the chance of a false alarm is divided. */
export type Ask = (tests: number) => Question;

/** Something bad that is beyond chance and tolerance, with its size in the tolerance's unit (the spread's is relative). */
export interface Shown {
  readonly what: 'Above' | 'Below' | 'Spread';
  readonly effect: number;
}

export interface Compared {
  /** In the metric's unit. */
  readonly value: number;
  readonly baseline: number;
  /** Of the difference, in the metric's unit; holds at all looks together. */
  readonly interval?: { readonly low: number; readonly high: number };
  /** In the tolerance's unit. */
  readonly smallestEffect?: number;
  /** Empty: nothing bad was shown. */
  readonly shown: readonly Shown[];
}

/** The two directions that may be bad. */
export function directions(bad: Comparison['bad']): readonly ('Increase' | 'Decrease')[] {
  return bad === 'Either' ? ['Increase', 'Decrease'] : [bad];
}

/** What is bad in this direction: a p-value at the level, and an effect of at least the tolerance, measured that way. */
export function shift(
  direction: 'Increase' | 'Decrease',
  { p, effect, level, tolerance }: { p: number; effect: number; level: number; tolerance: number },
): readonly Shown[] {
  const size = direction === 'Increase' ? effect : -effect;
  if (p > level || size < tolerance) return [];
  return [{ what: direction === 'Increase' ? 'Above' : 'Below', effect: size }];
}

/** Two one-sided p-values by direction. */
export function pOf(direction: 'Increase' | 'Decrease', test: { above: number; below: number }): number {
  return direction === 'Increase' ? test.above : test.below;
}

/** How much larger, relative to the baseline; a baseline of 0 makes any difference infinite. */
export function relative(candidate: number, baseline: number): number {
  if (candidate === baseline) return 0;
  return (candidate - baseline) / Math.abs(baseline);
}

/** The interval's ends as an optional field: none where the level leaves none. */
export function ends(estimate: { low: number; high: number }): Pick<Compared, 'interval'> {
  return Number.isFinite(estimate.low) && Number.isFinite(estimate.high)
    ? { interval: { low: estimate.low, high: estimate.high } }
    : {};
}

/** The smallest effect as an optional field: the larger one of the directions that are asked for. */
export function smallest(effects: readonly (number | undefined)[]): Pick<Compared, 'smallestEffect'> {
  const known = effects.filter((effect) => effect !== undefined);
  return known.length === 0 ? {} : { smallestEffect: Math.max(...known) };
}
