/**
 * How much the cumulative buckets of classic histograms grew enters; observations by bucket leave, added up over all
 * series. Each histogram is taken apart by itself first, so that instances with other bounds add up rightly too.
 */
import type { Bucket } from '../model/measurement.ts';
import type { Increment } from './counters.ts';

export type Buckets =
  | { readonly kind: 'buckets'; readonly buckets: readonly Bucket[] }
  /** The series are no buckets of a classic histogram. */
  | { readonly kind: 'problem'; readonly reason: string };

/** Observations by bucket, lowest first. */
export function bucketsOf(counted: readonly Increment[]): Buckets {
  const totals = new Map<number, number>();
  for (const histogram of Map.groupBy(counted, withoutBound).values()) {
    const cumulative = histogram
      .map(({ labels, count }) => ({ upTo: boundOf(labels['le']), count }))
      .toSorted((a, b) => a.upTo - b.upTo);
    if (cumulative.some(({ upTo }) => Number.isNaN(upTo)))
      return problem(
        'has series without a bound in the label `le`; name the `_bucket` series of a histogram',
      );
    if (cumulative.at(-1)?.upTo !== Number.POSITIVE_INFINITY)
      return problem('has a histogram without its bucket le="+Inf"; do not narrow the selector by `le`');
    let below = 0;
    for (const { upTo, count } of cumulative) {
      // A scrape that comes between two additions of a client shows one bucket ahead of the next.
      totals.set(upTo, (totals.get(upTo) ?? 0) + Math.max(0, count - below));
      below = Math.max(below, count);
    }
  }
  const bounds = [...totals].toSorted(([a], [b]) => a - b);
  return {
    kind: 'buckets',
    buckets: bounds.map(([upTo, count]) => ({ upTo: Number.isFinite(upTo) ? upTo : null, count })),
  };
}

function problem(reason: string): Buckets {
  return { kind: 'problem', reason };
}

function withoutBound({ labels }: Increment): string {
  return JSON.stringify(
    Object.entries(labels)
      .filter(([name]) => name !== 'le')
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function boundOf(le: string | undefined): number {
  if (le === '+Inf') return Number.POSITIVE_INFINITY;
  return le === undefined || le === '' ? Number.NaN : Number(le);
}
