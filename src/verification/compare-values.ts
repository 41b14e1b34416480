/**
 * Numbers that each window gave one of: the rank test, exact for few, on all windows of the step, the shift of Hodges and
 * Lehmann with its interval, and where the check asks, the spread.
 */
import type { AddedUp } from './added-up.ts';
import {
  type Compared,
  directions,
  ends,
  type Question,
  relative,
  type Shown,
  smallest,
  toward,
} from './compared.ts';
import { hodgesLehmann, medianOf } from './statistics/hodges-lehmann.ts';
import { mannWhitney } from './statistics/mann-whitney.ts';
import { normalPoint } from './statistics/normal.ts';
import { smallestShift } from './statistics/smallest-effect.ts';
import { spreadTest } from './statistics/spread.ts';
import { tallyNumbers } from './statistics/tallies.ts';
import { isInPoints } from './subject.ts';

/** The spread's share of the chance of a false alarm, where it is asked; the shift has the rest. */
const SPREAD_SHARE = 0.2;

type Values = Extract<AddedUp, { kind: 'value' }>;

/** Compares two lists of numbers; their values are the medians. */
export function compareValues({ candidate, baseline }: Values, question: Question): Compared {
  const { bad, tolerance, variance } = question.comparison;
  const level = question.level(1 - (variance ? SPREAD_SHARE : 0));
  const test = mannWhitney(tallyNumbers(candidate, baseline));
  const moved = hodgesLehmann(candidate, baseline, normalPoint(level));
  const middle = medianOf(baseline);
  // Points are differences as they are; all else is relative to the baseline.
  const unit = isInPoints(question.subject) ? 1 : Math.abs(middle);
  const effect = moved.value === 0 ? 0 : moved.value / unit;
  const effects = { above: effect, below: -effect };
  const shifts = directions(bad)
    .filter((direction) => toward(direction, test) <= level && toward(direction, effects) >= tolerance)
    .map(
      (direction): Shown => ({
        what: direction === 'Increase' ? 'Above' : 'Below',
        effect: toward(direction, effects),
      }),
    );
  return {
    value: medianOf(candidate),
    baseline: middle,
    ...ends(moved),
    ...smallest([smallestShift(moved, unit, { level, tolerance })]),
    shown: [...shifts, ...(variance ? widened({ kind: 'value', candidate, baseline }, question) : [])],
  };
}

function widened({ candidate, baseline }: Values, { comparison, level }: Question): readonly Shown[] {
  const effect = relative(distance(candidate), distance(baseline));
  const test = spreadTest(tallyNumbers(candidate, baseline));
  if (effect < comparison.tolerance || test.above > level(SPREAD_SHARE)) return [];
  return [{ what: 'Spread', effect }];
}

/** The mean distance from the median. */
function distance(numbers: readonly number[]): number {
  const middle = medianOf(numbers);
  return numbers.reduce((sum, each) => sum + Math.abs(each - middle), 0) / numbers.length;
}
