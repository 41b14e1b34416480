/**
 * Requests as the proxies reported them (Envoy's access log stream), added up for a short time: the source of actual
 * weights and of the zero-impact report. No test client, no sampling unless a proxy said that it lost some.
 */
import type { Instant, Milliseconds } from './instant.ts';
import type { ServiceName, VersionName } from './names.ts';

/** What sent the request to its version. */
export const TRAFFIC_ROUTES = ['Default', 'Pin', 'Hold', 'Cohort', 'Mirror', 'Refused'] as const;
export type TrafficRoute = (typeof TRAFFIC_ROUTES)[number];

/**
 * How it ended, for its client. `Cut`: the stream ended before the answer was whole, and not by the client. `Unknown`: a
 * copy, whose answer nobody waits for.
 */
export const TRAFFIC_RESULTS = [
  'Success',
  'ClientError',
  'ServerError',
  'Refused',
  'Unavailable',
  'Cut',
  'ClientGone',
  'Unknown',
] as const;
export type TrafficResult = (typeof TRAFFIC_RESULTS)[number];

/** The requests of one service, version, route and result that ended within one span. */
export interface TrafficCount {
  readonly service: ServiceName;
  /** Absent: no version was reached. */
  readonly version?: VersionName;
  readonly route: TrafficRoute;
  readonly result: TrafficResult;
  /** The beginning of the span; spans are TRAFFIC_SPAN long and begin at its multiples. */
  readonly from: Instant;
  readonly requests: number;
  /** Attempts beyond the first. */
  readonly retries: number;
  /** Durations by bucket of DURATION_BOUNDS, one more count than bounds. */
  readonly durations: readonly number[];
}

/** The length of a span. */
export const TRAFFIC_SPAN: Milliseconds = 5_000;

/** Upper bounds of the duration buckets, in milliseconds, about 20 percent apart so that shifts can be seen. */
export const DURATION_BOUNDS: readonly Milliseconds[] = Array.from({ length: 60 }, (_, index) =>
  Number((0.5 * 1.22 ** index).toPrecision(3)),
);

/**
 * A time in which a controller listened to what proxies report; outside of these nobody did. A controller that starts
 * begins a new one, under its `from`.
 */
export interface TrafficCoverage {
  readonly from: Instant;
  /** Until when it is known to have listened. */
  readonly to: Instant;
  /** What may be missing all the same, oldest first. */
  readonly gaps: readonly TrafficGap[];
}

/** A time for which reports of a proxy are missing, or may be. */
export interface TrafficGap {
  readonly proxy: string;
  readonly from: Instant;
  readonly to: Instant;
  /** Requests that are known to be missing; 0: nobody can tell. */
  readonly requests: number;
  /** Half a sentence: `its connection broke`. */
  readonly why: string;
}
