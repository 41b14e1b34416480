/**
 * The way to Prometheus, the only source of measurements. Answers are data or a reason; nothing that went wrong is ever
 * an empty answer (rule 10). test/contract/metric-source.ts is the contract.
 */
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { PrometheusSpec } from '../model/spec.ts';

export interface MetricSource {
  /** The value of an expression at one time: an instant query that answers a scalar or a vector. */
  query(request: InstantQuery): Promise<QueryAnswer>;
  /**
   * The raw samples of a selector between two times, as they were scraped: nothing is interpolated. Each series is told
   * apart by its labels.
   */
  samples(request: SamplesQuery): Promise<SamplesAnswer>;
  /** What the server is, for example `2.42.0`. Rejects where it does not answer. */
  version(server: PrometheusSpec, signal: AbortSignal): Promise<string>;
}

export interface InstantQuery {
  readonly server: PrometheusSpec;
  readonly query: string;
  readonly at: Instant;
  readonly signal: AbortSignal;
}

export interface SamplesQuery {
  readonly server: PrometheusSpec;
  /** A selector without a range: `envoy_cluster_upstream_rq_total{cluster="a"}`. */
  readonly selector: string;
  /** Samples after this time. */
  readonly from: Instant;
  /** Samples up to and including this time. */
  readonly to: Instant;
  readonly signal: AbortSignal;
}

/** `error`: it could not be asked, or the answer makes no sense; the reason names what was wrong. */
export type QueryAnswer =
  | { readonly kind: 'vector'; readonly elements: readonly VectorElement[] }
  | { readonly kind: 'error'; readonly reason: string };

export interface VectorElement {
  readonly labels: Readonly<Record<string, string>>;
  readonly at: Instant;
  /** May be NaN or infinite, as Prometheus answered. */
  readonly value: number;
}

export type SamplesAnswer =
  | { readonly kind: 'series'; readonly series: readonly Series[] }
  | { readonly kind: 'error'; readonly reason: string };

/** One series with its samples, oldest first. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly { readonly at: Instant; readonly value: number }[];
}

/** How far before `from` samples must be asked for, so that a counter's value at `from` is known. */
export function lookBehind({ scrapeInterval }: PrometheusSpec): Milliseconds {
  return 3 * scrapeInterval;
}
