/**
 * How small a p-value must be at this look, when one looks again and again, so that a candidate that is as good as the
 * baseline fails in all looks together with at most the chance `falseAlarm`. Two kinds of plans: a known number of looks
 * (Verify, Shift), where the chance is spent look by look; and no known end (Soak), where one curve holds for ever.
 * docs/decisions/0005-statistics.md says why there are two, with figures.
 */
import { normalPoint, normalTail } from './normal.ts';
import { powerSpending, spendingBoundaries } from './spending.ts';

/** `looks`: how many are planned. `Open`: it goes on for an unknown time, about as long as `looks` looks at least. */
export interface LookPlan {
  readonly kind: 'Planned' | 'Open';
  readonly looks: number;
}

/** The looks that were made so far, this one included. */
export interface Looks {
  readonly plan: LookPlan;
  /** One-sided chance of a false alarm over all looks, above 0 and below 1. */
  readonly falseAlarm: number;
  /** How much was known at each look, in any unit, growing: for two samples `a * b / (a + b)` of their sizes. */
  readonly information: readonly number[];
}

/** The level that a one-sided p-value must not exceed at the last of these looks, for the candidate to fail. */
export function lookLevel({ plan, falseAlarm, information }: Looks): number {
  const boundary =
    plan.kind === 'Planned'
      ? spendingBoundaries(information, powerSpending(falseAlarm, plan.looks)).at(-1)
      : openBoundary({ looks: plan.looks, falseAlarm, information });
  return boundary === undefined ? 0 : normalTail(boundary);
}

/**
 * The curve that a standardised sum crosses at any time at all with at most this chance: the one-sided normal mixture
 * of Robbins 1970 (Howard, Ramdas, McAuliffe, Sekhon 2021, Annals of Statistics 49, proposition 6). Its parameter makes
 * it tightest after `looks` looks like the first.
 */
function openBoundary({
  looks,
  falseAlarm,
  information,
}: {
  looks: number;
  falseAlarm: number;
  information: readonly number[];
}): number {
  const [first = 0] = information;
  const now = information.at(-1) ?? 0;
  if (first <= 0 || now <= 0) return Infinity;
  const scale = 2 * Math.log(1 / (2 * falseAlarm)) + Math.log(1 + 2 * Math.log(1 / (2 * falseAlarm)));
  const tightest = (first * looks) / Math.max(1, scale);
  const ratio = Math.sqrt(now / (now + tightest));
  // The mixture, as a function of the standardised sum z, grows; it must reach 1 / falseAlarm.
  const logMixture = (z: number) =>
    Math.log(2 * (1 - normalTail(z * ratio))) +
    0.5 * Math.log(tightest / (now + tightest)) +
    0.5 * (z * ratio) ** 2;
  let low = normalPoint(falseAlarm);
  let high = 2 * low + 10;
  while (logMixture(high) < -Math.log(falseAlarm)) high *= 2;
  for (let round = 0; round < 60; round++) {
    const z = (low + high) / 2;
    if (logMixture(z) < -Math.log(falseAlarm)) low = z;
    else high = z;
  }
  return high;
}
