/** What the comparisons of the three kinds of data take and give. */
import type { Comparison } from '../model/check.ts';
import type { Subject } from './subject.ts';

/** What is asked of the data. */
export interface Question {
  readonly comparison: Comparison;
  readonly subject: Subject;
  /**
   * The level of this look for a test that is given a share (0 to 1) of the chance of a false alarm: a one-sided p-value
   * up to it is beyond chance. The shares of all tests of a comparison add up to 1.
   */
  readonly level: (share: number) => number;
}

/** Something bad that is beyond chance and tolerance, with its size in the tolerance's unit (the spread's is relative). */
export interface Shown {
  readonly what: 'Above' | 'Below' | 'Tail' | 'Spread';
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

export type Direction = 'Increase' | 'Decrease';

/** The directions that are bad. */
export function directions(bad: Comparison['bad']): readonly Direction[] {
  return bad === 'Either' ? ['Increase', 'Decrease'] : [bad];
}

/** Two one-sided p-values, or two effects, by direction. */
export function toward(
  direction: Direction,
  test: { readonly above: number; readonly below: number },
): number {
  return direction === 'Increase' ? test.above : test.below;
}

/** How much larger, relative to the baseline; a baseline of 0 makes any difference infinite. */
export function relative(candidate: number, baseline: number): number {
  return candidate === baseline ? 0 : (candidate - baseline) / Math.abs(baseline);
}

/** The interval as an optional field: none where the level leaves it without ends. */
export function ends({
  low,
  high,
}: {
  readonly low: number;
  readonly high: number;
}): Pick<Compared, 'interval'> {
  return Number.isFinite(low) && Number.isFinite(high) ? { interval: { low, high } } : {};
}

/** The smallest effect as an optional field: the larger one of the directions that are asked for. */
export function smallest(effects: readonly (number | undefined)[]): Pick<Compared, 'smallestEffect'> {
  const known = effects.filter((effect) => effect !== undefined);
  return known.length < effects.length ? {} : { smallestEffect: Math.max(...known) };
}
