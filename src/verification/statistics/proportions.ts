/**
 * Two proportions, such as errors among requests of two versions: Fisher's test, which needs no large counts and takes a
 * baseline without a single error as it is, and intervals of one proportion (Wilson) and of a difference (Newcombe).
 * Sources: Fisher 1935; Wilson 1927; Newcombe 1998, Statistics in Medicine 17, method 10.
 */
import type { Proportion } from '../../model/measurement.ts';
import type { Significance } from './mann-whitney.ts';

/** A range that a true value lies in, with its best estimate. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Fisher's test with mid-p-values: given how many events there were in all, how likely is a share of the candidate larger
 * (smaller) than this, an equal one counted half? It sums the exact distribution at any size. The half (Lancaster 1961)
 * takes away the waste of the plain test, which hardly ever alarms on few events; decision 0005 has the measured levels.
 */
export function fisher(candidate: Proportion, baseline: Proportion): Significance {
  const urn: Urn = {
    events: candidate.events + baseline.events,
    drawn: candidate.total,
    all: candidate.total + baseline.total,
  };
  const mean = (urn.events * urn.drawn) / urn.all;
  // Sum the side away from the mean, where terms only fall and no digits are lost; the other side is the rest.
  if (candidate.events >= mean) {
    const above = tail(candidate.events, urn);
    return { above, below: 1 - above };
  }
  const below = tail(baseline.events, { ...urn, drawn: baseline.total });
  return { above: 1 - below, below };
}

interface Urn {
  readonly events: number;
  readonly drawn: number;
  readonly all: number;
}

/** The chance that a draw without replacement holds more than `count` events, plus half the chance of just as many. */
function tail(count: number, { events, drawn, all }: Urn): number {
  const most = Math.min(events, drawn);
  let term = Math.exp(logChance(count, { events, drawn, all }));
  let sum = term / 2;
  for (let k = count; k < most && term > sum * 1e-17; k++) {
    term *= ((events - k) * (drawn - k)) / ((k + 1) * (all - events - drawn + k + 1));
    sum += term;
  }
  return sum;
}

/** The logarithm of the hypergeometric chance of exactly `count` events. */
function logChance(count: number, { events, drawn, all }: Urn): number {
  return logChoose(events, count) + logChoose(all - events, drawn - count) - logChoose(all, drawn);
}

function logChoose(all: number, some: number): number {
  return logFactorial(all) - logFactorial(some) - logFactorial(all - some);
}

/** Stirling's series with three terms, exact to 1e-12 from 16 on; below, the product. */
function logFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const series = 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + series;
}

/** Wilson's interval of one share, from 0 to 1; `z` is the normal point of one end (1.96 for 95 percent). */
export function wilson({ events, total }: Proportion, z: number): Estimate {
  const share = events / total;
  const scale = 1 + (z * z) / total;
  const centre = (share + (z * z) / (2 * total)) / scale;
  const reach = (z / scale) * Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  return { value: share, low: Math.max(0, centre - reach), high: Math.min(1, centre + reach) };
}

/**
 * The interval of a difference of two independent estimates from their own intervals (square and add). With Wilson's it
 * is Newcombe's method 10; with other intervals, the method of variance estimates recovery (Zou and Donner 2008).
 */
export function difference(candidate: Estimate, baseline: Estimate): Estimate {
  const value = candidate.value - baseline.value;
  return {
    value,
    low: value - Math.hypot(candidate.value - candidate.low, baseline.high - baseline.value),
    high: value + Math.hypot(candidate.high - candidate.value, baseline.value - baseline.low),
  };
}
