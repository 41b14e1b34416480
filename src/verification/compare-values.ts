/**
 * Numbers that each window gave one of: the rank test, exact for few, on all windows of the step, the shift of Hodges and
 * Lehmann with its interval, and where the check asks, the spread.
 */
import type { AddedUp } from './added-up.ts';
import {
  type Ask,
  type Compared,
  directions,
  ends,
  pOf,
  relative,
  type Shown,
  shift,
  smallest,
} from './compared.ts';
import { hodgesLehmann } from './statistics/hodges-lehmann.ts';
import { mannWhitney } from './statistics/mann-whitney.ts';
import { normalPoint } from './statistics/normal.ts';
import { smallestShift } from './statistics/smallest-effect.ts';
import { spreadTest } from './statistics/spread.ts';
import { tallyNumbers } from './statistics/tallies.ts';
import { isInPoints } from './subject.ts';

/** Compares two lists of numbers. */
export function compareValues(
  { candidate, baseline }: Extract<AddedUp, { kind: 'value' }>,
  ask: Ask,
): Compared {
  const { comparison, level, subject } = ask(ask(1).comparison.variance ? 2 : 1);
  const { tolerance } = comparison;
  const tallies = tallyNumbers(candidate, baseline);
  const test = mannWhitney(tallies);
  const moved = hodgesLehmann(candidate, baseline, normalPoint(level));
  const middle = median(baseline);
  // Points are differences as they are; all else is relative to the baseline.
  const unit = isInPoints(subject) ? 1 : middle;
  const effect = isInPoints(subject) ? moved.value : relative(middle + moved.value, middle);
  const shifts = directions(comparison.bad).flatMap((direction) =>
    shift(direction, { p: pOf(direction, test), effect, level, tolerance }),
  );
  return {
    value: median(candidate),
    baseline: middle,
    ...ends(moved),
    ...smallest([smallestShift(moved, unit, { level, tolerance })]),
    shown: [...shifts, ...(comparison.variance ? widened() : [])],
  };

  function widened(): readonly Shown[] {
    const growth = relative(range(candidate), range(baseline));
    if (growth < tolerance || growth <= 0 || spreadTest(tallies).above > level) return [];
    return [{ what: 'Spread', effect: growth }];
  }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
}

/** The mean distance from the median. */
function range(numbers: readonly number[]): number {
  const middle = median(numbers);
  return numbers.reduce((sum, each) => sum + Math.abs(each - middle), 0) / numbers.length;
}
