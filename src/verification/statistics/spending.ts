/**
 * Group-sequential boundaries: a chance of false alarm is spent look by look (Lan and DeMets 1983), by the power family
 * of Kim and DeMets 1987, and each look's boundary is found by following the distribution of the standardised sum through
 * the looks before (Armitage, McPherson and Rowe 1969). The looks may hold unequal amounts of data.
 */
import { normalDensity, normalPoint, normalTail } from './normal.ts';

/** How much of the chance may be spent up to and with look `look` (from 1). Grows. */
export type Spending = (look: number) => number;

/** The power of the family: 1 alarms early (near Pocock), 3 late (near O'Brien and Fleming); decision 0005 has figures. */
const POWER = 2;

/** Spends `falseAlarm` over `looks` looks; a look beyond has nothing left to spend. */
export function powerSpending(falseAlarm: number, looks: number): Spending {
  return (look) => falseAlarm * Math.min(1, look / looks) ** POWER;
}

/**
 * The boundaries of the standardised sum (a z value) at all these looks, whose information grows, in any unit. Infinity
 * where nothing is left to spend.
 */
export function spendingBoundaries(information: readonly number[], spending: Spending): number[] {
  const times = shares(information);
  const steps = times.map((time, index) => Math.sqrt(time - (times[index - 1] ?? 0)));
  const spacing = Math.min(...steps) / STEPS;
  const boundaries: number[] = [];
  let paths: Paths | undefined;
  for (const [index, time] of times.entries()) {
    const deviation = Math.sqrt(time);
    const step = steps[index] ?? 0;
    const spend = spending(index + 1) - spending(index);
    const boundary = boundaryFor(spend, { paths, step, deviation });
    boundaries.push(boundary / deviation);
    paths = follow(paths, { boundary, step, spacing, deviation });
  }
  return boundaries;
}

/** Grid points for each standard deviation of the narrowest step: the sum is then right to the sixth digit. */
const STEPS = 3;
/** Beyond so many standard deviations a normal density counts as nothing: the grid ends there. */
const REACH = 6;
/** A look that adds less than this share of the information is taken as if it added so much: that is the safe side. */
const LEAST_STEP = 1 / 2_000;

/** Information as shares of the last look's. */
function shares(information: readonly number[]): number[] {
  const last = information.at(-1) ?? 1;
  const times: number[] = [];
  for (const each of information) times.push(Math.max(each / last, (times.at(-1) ?? 0) + LEAST_STEP));
  return times;
}

/** The sums that have not crossed yet: their density, times Simpson's weights, on a grid downwards from `top`. */
interface Paths {
  readonly top: number;
  readonly spacing: number;
  readonly mass: Float64Array;
}

/** Where to stand before a look: the paths that go on (none before the first), and how far the look's data moves them. */
interface Step {
  readonly paths: Paths | undefined;
  readonly step: number;
  readonly deviation: number;
}

/**
 * The boundary that the paths cross in this step with the chance `spend`. Newton's method on the logarithm, which is
 * concave, from boundaries that are never too low (that of all paths, and that of paths that all end at the top), so no
 * step overshoots.
 */
function boundaryFor(spend: number, { paths, step, deviation }: Step): number {
  if (spend < 1e-15) return Infinity;
  const point = normalPoint(spend);
  if (paths === undefined) return point * deviation;
  let boundary = Math.min(point * deviation, paths.top + point * step);
  for (let round = 0; round < 40; round++) {
    const { chance, density } = crossing(paths, boundary, step);
    const move = (Math.log(chance / spend) * chance) / density;
    boundary += move;
    if (Math.abs(move) < 1e-7 * deviation) break;
  }
  return boundary;
}

/** The chance that a path crosses `at` with the next step, and how fast it falls with `at`. */
function crossing(
  { top, spacing, mass }: Paths,
  at: number,
  step: number,
): { chance: number; density: number } {
  let chance = 0;
  let density = 0;
  for (let index = 0; index < mass.length; index++) {
    const distance = (at - top + index * spacing) / step;
    if (distance > REACH) break;
    const here = mass[index] ?? 0;
    chance += here * normalTail(distance);
    density += (here * normalDensity(distance)) / step;
  }
  return { chance, density };
}

/** The paths after a look: those below its boundary, one step on. */
function follow(
  paths: Paths | undefined,
  {
    boundary,
    step,
    spacing,
    deviation,
  }: { boundary: number; step: number; spacing: number; deviation: number },
): Paths {
  const top = Math.min(boundary, REACH * deviation);
  const last = 2 * Math.max(1, Math.ceil((top + REACH * deviation) / spacing / 2));
  const mass = new Float64Array(last + 1);
  for (let index = 0; index <= last; index++) {
    const weight = index === 0 || index === last ? 1 : index % 2 === 1 ? 4 : 2;
    mass[index] = (weight * spacing) / 3;
  }
  if (paths === undefined) {
    for (let index = 0; index <= last; index++) {
      mass[index] = ((mass[index] ?? 0) * normalDensity((top - index * spacing) / step)) / step;
    }
    return { top, spacing, mass };
  }
  // Both grids have the same spacing, so the length of a step depends on the difference of the places only.
  const reach = Math.ceil((REACH * step) / spacing);
  const shift = Math.round((paths.top - top) / spacing);
  const rest = paths.top - top - shift * spacing;
  const densities = Float64Array.from(
    { length: 2 * reach + 1 },
    (_, place) => normalDensity((rest + (place - reach) * spacing) / step) / step,
  );
  for (let index = 0; index <= last; index++) {
    const middle = index + shift;
    const from = Math.max(0, middle - reach);
    const to = Math.min(paths.mass.length - 1, middle + reach);
    let density = 0;
    for (let old = from; old <= to; old++) {
      density += (paths.mass[old] ?? 0) * (densities[middle - old + reach] ?? 0);
    }
    mass[index] = (mass[index] ?? 0) * density;
  }
  return { top, spacing, mass };
}
