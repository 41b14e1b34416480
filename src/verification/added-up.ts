/**
 * All data of one check in one step, added up look by look. A comparison looks at the sum, and must know how much was
 * known at each look before, because every look could have failed the candidate.
 */
import type { Bucket, MeasuredOutcome, Proportion } from '../model/measurement.ts';
import { isEnough, type LimitedData } from './limit.ts';
import { observations } from './statistics/quantile.ts';
import { addBuckets } from './statistics/tallies.ts';

/** Both sides' data of all windows so far. Sizes are samples, or numbers where each window gave one. */
export type AddedUp =
  | { readonly kind: 'ratio'; readonly candidate: Proportion; readonly baseline: Proportion }
  | {
      readonly kind: 'histogram';
      readonly candidate: readonly Bucket[];
      readonly baseline: readonly Bucket[];
    }
  | { readonly kind: 'value'; readonly candidate: readonly number[]; readonly baseline: readonly number[] };

/** The sum at the last window, and what was known at each look that was made, the last window's included if it is one. */
export interface Evidence {
  readonly sum: AddedUp;
  readonly sizes: Sizes;
  readonly information: readonly number[];
  /** Whether the last window is a look: both sides have enough. */
  readonly isLook: boolean;
}

export interface Sizes {
  readonly candidate: number;
  readonly baseline: number;
}

/** How many samples a look needs. */
export interface Needs {
  readonly minimumSamples: number;
  /** Whether the check has a limit too: a window that is too small for it is not judged at all, so it is no look. */
  readonly hasLimit: boolean;
}

/**
 * Adds up the windows, oldest first. Windows without data, without a baseline or of another kind than the last one are
 * left out. Undefined where the last one is.
 */
export function addUp(
  outcomes: readonly MeasuredOutcome[],
  { minimumSamples, hasLimit }: Needs,
): Evidence | undefined {
  const kind = comparable(outcomes.at(-1))?.own.kind;
  let sum: AddedUp | undefined;
  let isLook = false;
  const information: number[] = [];
  for (const outcome of outcomes) {
    const window = comparable(outcome);
    if (window === undefined || window.own.kind !== kind) continue;
    sum = sum === undefined ? window.own : add(sum, window.own);
    const { candidate, baseline } = sizesOf(sum);
    const needed = sum.kind === 'value' ? 1 : Math.max(1, minimumSamples);
    isLook = Math.min(candidate, baseline) >= needed && (!hasLimit || isEnough(window.data, minimumSamples));
    if (isLook) information.push((candidate * baseline) / (candidate + baseline));
  }
  return sum === undefined ? undefined : { sum, sizes: sizesOf(sum), information, isLook };
}

/** A window that has data of both sides: as it was measured, and as the beginning of a sum. */
interface Window {
  readonly data: LimitedData;
  readonly own: AddedUp;
}

function comparable(outcome: MeasuredOutcome | undefined): Window | undefined {
  if (outcome?.kind !== 'Data') return undefined;
  const { data } = outcome;
  if (data.kind === 'answer' || data.baseline === undefined) return undefined;
  switch (data.kind) {
    case 'ratio':
      return { data, own: { kind: 'ratio', candidate: data.candidate, baseline: data.baseline } };
    case 'histogram':
      return { data, own: { kind: 'histogram', candidate: data.candidate, baseline: data.baseline } };
    case 'value':
      return Number.isFinite(data.candidate) && Number.isFinite(data.baseline)
        ? { data, own: { kind: 'value', candidate: [data.candidate], baseline: [data.baseline] } }
        : undefined;
  }
}

function add(sum: AddedUp, next: AddedUp): AddedUp {
  if (sum.kind === 'ratio' && next.kind === 'ratio') {
    return {
      kind: 'ratio',
      candidate: addProportions(sum.candidate, next.candidate),
      baseline: addProportions(sum.baseline, next.baseline),
    };
  }
  if (sum.kind === 'histogram' && next.kind === 'histogram') {
    return {
      kind: 'histogram',
      candidate: addBuckets([sum.candidate, next.candidate]),
      baseline: addBuckets([sum.baseline, next.baseline]),
    };
  }
  if (sum.kind === 'value' && next.kind === 'value') {
    return {
      kind: 'value',
      candidate: [...sum.candidate, ...next.candidate],
      baseline: [...sum.baseline, ...next.baseline],
    };
  }
  return sum;
}

function addProportions(a: Proportion, b: Proportion): Proportion {
  return { events: a.events + b.events, total: a.total + b.total };
}

function sizesOf(sum: AddedUp): Sizes {
  switch (sum.kind) {
    case 'ratio':
      return { candidate: sum.candidate.total, baseline: sum.baseline.total };
    case 'histogram':
      return { candidate: observations(sum.candidate), baseline: observations(sum.baseline) };
    case 'value':
      return { candidate: sum.candidate.length, baseline: sum.baseline.length };
  }
}
