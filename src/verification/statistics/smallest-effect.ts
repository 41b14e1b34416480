/**
 * The smallest effect that so much data could have shown, four times of five (80 percent power), at a level: what a pass
 * is worth. An effect is shown when it is significant and at least the tolerance (the floor) as measured.
 */
import type { Proportion } from '../../model/measurement.ts';
import { mannWhitney } from './mann-whitney.ts';
import { normalPoint } from './normal.ts';
import { type Estimate, wilson } from './proportions.ts';
import { curve, scaledSuperiority } from './scale.ts';
import type { SharedBucket } from './tallies.ts';

/** The normal point of the 80 percent power. */
const POWER_POINT = normalPoint(0.2);

/** What an effect is held against. */
export interface Threshold {
  /** The one-sided level of this look, between 0 and 1. */
  readonly level: number;
  /** The smallest measured effect that counts. */
  readonly tolerance: number;
}

/**
 * For shares: the difference, 0 to 1, that the candidate would need above (`Increase`) or below (`Decrease`) the baseline's
 * share. Undefined where not even the largest possible one would show. The baseline's share is taken as Agresti and Coull
 * do, so that a baseline without events still has some noise.
 */
export function smallestDifference(
  { candidate, baseline }: { readonly candidate: number; readonly baseline: Proportion },
  direction: 'Increase' | 'Decrease',
  { level, tolerance }: Threshold,
): number | undefined {
  if (level <= 0) return undefined;
  const z = normalPoint(level);
  const middle = wilson(baseline, 1);
  const share = (middle.low + middle.high) / 2;
  const room = direction === 'Increase' ? 1 - share : share;
  const variance = (p: number, n: number) => (p * (1 - p)) / n;
  const shows = (effect: number) => {
    const other = direction === 'Increase' ? share + effect : share - effect;
    const common = (share * baseline.total + other * candidate) / (baseline.total + candidate);
    const alike = Math.sqrt(variance(common, baseline.total) + variance(common, candidate));
    const apart = Math.sqrt(variance(share, baseline.total) + variance(other, candidate));
    return effect >= Math.max(z * alike, tolerance) + POWER_POINT * apart;
  };
  return leastThat(shows, room);
}

/**
 * For histograms: the relative growth (`Increase`) or fall of all values that the rank test would have shown: the
 * baseline is scaled until it would. Undefined where not even a hundredfold would show.
 */
export function smallestScale(
  buckets: readonly SharedBucket[],
  direction: 'Increase' | 'Decrease',
  { level, tolerance }: Threshold,
): number | undefined {
  if (level <= 0) return undefined;
  const needed = (normalPoint(level) + POWER_POINT) * mannWhitney(buckets).deviation;
  const baseline = curve(buckets);
  const shows = (effect: number) => {
    const factor = direction === 'Increase' ? 1 + effect : 1 - effect;
    return effect >= tolerance && Math.abs(scaledSuperiority(baseline, factor) - 0.5) >= needed;
  };
  return leastThat(shows, direction === 'Increase' ? 99 : 0.99);
}

/** For numbers: from the shift and the half width of its interval, relative to the baseline's median. */
export function smallestShift(
  shift: Estimate,
  baseline: number,
  { level, tolerance }: Threshold,
): number | undefined {
  const z = normalPoint(level);
  const deviation = (shift.high - shift.low) / 2 / z;
  if (!Number.isFinite(deviation) || baseline === 0) return undefined;
  const relative = deviation / Math.abs(baseline);
  return Math.max(z * relative, tolerance) + POWER_POINT * relative;
}

/** The least effect up to `most` for which `shows` holds, which does not stop to hold as the effect grows. */
function leastThat(shows: (effect: number) => boolean, most: number): number | undefined {
  if (!shows(most)) return undefined;
  let low = 0;
  let high = most;
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    if (shows(middle)) high = middle;
    else low = middle;
  }
  return high;
}
