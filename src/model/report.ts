/**
 * The zero-impact report of a rollout: what became of every request in its window, by version and result, and what was
 * decided. Each figure says how sure it is. Its sources are the proxies' access logs and counters, no test client.
 */
import type { Instant, Milliseconds } from './instant.ts';
import type { Measurement } from './measurement.ts';
import type { ServiceName, VersionName } from './names.ts';
import type { RolloutRecord } from './rollout.ts';
import type { TrafficResult, TrafficRoute } from './traffic.ts';

/** `Proved`: every request in the window was counted. `Sampled`: some were lost, as told. `NotMeasurable`: see why. */
export type Certainty =
  | { readonly kind: 'Proved' }
  | { readonly kind: 'Sampled'; readonly why: string }
  | { readonly kind: 'NotMeasurable'; readonly why: string };

/** A number with how sure it is; `value` is absent where it is not measurable. */
export interface Figure {
  readonly value?: number;
  readonly certainty: Certainty;
}

export interface RolloutReport {
  readonly rollout: RolloutRecord;
  readonly service: ServiceName;
  readonly window: { readonly from: Instant; readonly to: Instant };
  /** One sentence: how it ended, and what it cost. */
  readonly summary: string;
  readonly requests: Figure;
  /** Requests that failed for a reason of ours: no ready endpoint, cut streams, refused without cause. */
  readonly impacted: Figure;
  readonly retries: Figure;
  readonly cutStreams: Figure;
  readonly refusals: Figure;
  readonly byVersion: readonly VersionTraffic[];
  /** The candidate's latency against the baseline's. */
  readonly latency?: LatencyShift;
  /** Default requests by version over time, for a plot. */
  readonly timeline: readonly TimelinePoint[];
  readonly decisions: readonly ReportDecision[];
  readonly measurements: readonly Measurement[];
  /** Decisions and measurements before it are in the log of another replica only; absent: all of them are here. */
  readonly knownSince?: Instant;
  /** The longest that proxies had old and new routes side by side at a step; absent: not measured. */
  readonly mixedFor?: Milliseconds;
}

export interface VersionTraffic {
  readonly version?: VersionName;
  readonly route: TrafficRoute;
  readonly requests: number;
  readonly results: Readonly<Partial<Record<TrafficResult, number>>>;
  readonly retries: number;
  readonly p50?: Milliseconds;
  readonly p99?: Milliseconds;
  /** How long answers took, by bucket of DURATION_BOUNDS, one more count than bounds; what was broken off is left out. */
  readonly durations: readonly number[];
}

/** Shift of the median of default requests, candidate minus baseline, with its 95 percent interval. */
export interface LatencyShift {
  readonly milliseconds: number;
  readonly low: number;
  readonly high: number;
  readonly samples: { readonly candidate: number; readonly baseline: number };
  readonly certainty: Certainty;
}

export interface TimelinePoint {
  readonly at: Instant;
  readonly requests: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
}

export interface ReportDecision {
  readonly at: Instant;
  readonly actor: string;
  readonly action: string;
  readonly message: string;
}
