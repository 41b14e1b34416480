/** Shares of events, such as errors among requests: Fisher's test, Newcombe's interval, tolerance in points. */
import type { AddedUp } from './added-up.ts';
import { type Compared, directions, ends, type Question, type Shown, smallest, toward } from './compared.ts';
import { normalPoint } from './statistics/normal.ts';
import { difference, fisher, wilson } from './statistics/proportions.ts';
import { smallestDifference } from './statistics/smallest-effect.ts';

/** Compares two shares, as percentages. */
export function compareRatios(
  { candidate, baseline }: Extract<AddedUp, { kind: 'ratio' }>,
  { comparison, level: levelOf }: Question,
): Compared {
  const { tolerance, bad } = comparison;
  const level = levelOf(1);
  const test = fisher(candidate, baseline);
  const z = normalPoint(level);
  const apart = difference(wilson(candidate, z), wilson(baseline, z));
  const effect = 100 * apart.value;
  const effects = { above: effect, below: -effect };
  return {
    value: (100 * candidate.events) / candidate.total,
    baseline: (100 * baseline.events) / baseline.total,
    ...ends({ low: 100 * apart.low, high: 100 * apart.high }),
    ...smallest(
      directions(bad).map((direction) => {
        const sides = { candidate: candidate.total, baseline };
        const least = smallestDifference(sides, direction, { level, tolerance: tolerance / 100 });
        return least === undefined ? undefined : 100 * least;
      }),
    ),
    shown: directions(bad)
      .filter((direction) => toward(direction, test) <= level && toward(direction, effects) >= tolerance)
      .map(
        (direction): Shown => ({
          what: direction === 'Increase' ? 'Above' : 'Below',
          effect: toward(direction, effects),
        }),
      ),
  };
}
