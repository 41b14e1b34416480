/** Shares of events, such as errors among requests: Fisher's exact test, Newcombe's interval, tolerance in points. */
import type { AddedUp } from './added-up.ts';
import { type Ask, type Compared, directions, ends, pOf, shift, smallest } from './compared.ts';
import { normalPoint } from './statistics/normal.ts';
import { difference, fisher, wilson } from './statistics/proportions.ts';
import { smallestDifference } from './statistics/smallest-effect.ts';

/** Compares two shares, as percentages. */
export function compareRatios(
  { candidate, baseline }: Extract<AddedUp, { kind: 'ratio' }>,
  ask: Ask,
): Compared {
  const { comparison, level } = ask(1);
  const { tolerance } = comparison;
  const test = fisher(candidate, baseline);
  const z = normalPoint(level);
  const apart = difference(wilson(candidate, z), wilson(baseline, z));
  const effect = 100 * (candidate.events / candidate.total - baseline.events / baseline.total);
  const asked = directions(comparison.bad);
  return {
    value: (100 * candidate.events) / candidate.total,
    baseline: (100 * baseline.events) / baseline.total,
    ...ends({ low: 100 * apart.low, high: 100 * apart.high }),
    ...smallest(
      asked.map((direction) => {
        const sides = { candidate: candidate.total, baseline };
        const least = smallestDifference(sides, direction, { level, tolerance: tolerance / 100 });
        return least === undefined ? undefined : 100 * least;
      }),
    ),
    shown: asked.flatMap((direction) =>
      shift(direction, { p: pOf(direction, test), effect, level, tolerance }),
    ),
  };
}
