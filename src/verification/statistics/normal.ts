/**
 * The standard normal distribution: its upper tail and the point with a given upper tail, exact to about 13 digits also
 * far out, where `1 - cdf` would have none left. Own code, because the kept libraries either lose the tail or bring
 * 175 packages with native builds for these two functions (docs/decisions/0005-statistics.md).
 */

const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);
/** Beyond it the continued fraction converges fast; below it the series does. */
const FAR = 3;

/** The density of the standard normal distribution at `z`. */
export function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) / ROOT_TWO_PI;
}

/** The chance that a standard normal variable is above `z`. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  return z < FAR ? 0.5 - centralArea(z) : farTail(z);
}

/** The chance between 0 and `z`: the series z + z^3/3 + z^5/(3*5) + ... times the density (Marsaglia 2004, eq. 1). */
function centralArea(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; term > sum * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return sum * normalDensity(z);
}

/** Laplace's continued fraction, density / (z + 1/(z + 2/(z + 3/...))) (Abramowitz and Stegun 26.2.14). */
function farTail(z: number): number {
  let denominator = z;
  for (let term = 48; term >= 1; term--) denominator = z + term / denominator;
  return normalDensity(z) / denominator;
}

/** The point above which a standard normal variable lies with the chance `tail`. Throws RangeError outside 0 to 1. */
export function normalPoint(tail: number): number {
  if (!(tail >= 0 && tail <= 1)) throw new RangeError(`a chance must be from 0 to 1, not ${tail}`);
  if (tail === 0) return Infinity;
  if (tail > 0.5) return -normalPoint(1 - tail);
  // Newton's method on the logarithm of the tail, which is concave: from the right of the root it never overshoots.
  let z = Math.sqrt(-2 * Math.log(2 * tail));
  for (let round = 0; round < 60; round++) {
    const area = normalTail(z);
    const step = (Math.log(area / tail) * area) / normalDensity(z);
    z += step;
    if (Math.abs(step) < 1e-14 * (1 + z)) break;
  }
  return z;
}
