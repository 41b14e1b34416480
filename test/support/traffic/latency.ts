/** Latencies summed up the way reports show them. */

/** Milliseconds, rounded to a tenth; all zero where nothing was measured. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Percentiles by nearest rank: the smallest value that at least that share of the values do not exceed. */
export function summarize(milliseconds: readonly number[]): Latency {
  const sorted = milliseconds.toSorted((one, other) => one - other);
  const rank = (share: number) => Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
  return { p50: rank(0.5), p99: rank(0.99), max: rank(1) };
}
