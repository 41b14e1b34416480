/**
 * The zero-impact report of one rollout: what is stored of it and what the proxies reported enter, figures with their
 * certainty and one sentence leave. The window is widened to whole spans, because counts are kept by span. Pure.
 */
import type { AuditEvent } from '../model/audit.ts';
import { type Instant, instant } from '../model/instant.ts';
import type { Measurement } from '../model/measurement.ts';
import type { Certainty, Figure, RolloutReport } from '../model/report.ts';
import type { RolloutRecord } from '../model/rollout.ts';
import {
  TRAFFIC_SPAN,
  type TrafficCount,
  type TrafficCoverage,
  type TrafficResult,
} from '../model/traffic.ts';
import { sum, timelineOf, versionRows } from './by-version.ts';
import { certaintyOf, type Window } from './certainty.ts';
import { latencyShift } from './latency-shift.ts';
import { summaryOf } from './summary.ts';

export interface ReportInput {
  readonly rollout: RolloutRecord;
  /** Those of the service; others are left out. */
  readonly events: readonly AuditEvent[];
  /** Counts of the service; those outside the window are left out. */
  readonly counts: readonly TrafficCount[];
  readonly measurements: readonly Measurement[];
  /** All that is known, oldest first. */
  readonly coverage: readonly TrafficCoverage[];
  /** Whether a listener of the service reports requests. */
  readonly isReported: boolean;
  /** Requests that are served and that nobody reports, one sentence each; empty where there are none. */
  readonly blindSpots: readonly string[];
  /** When the kept events and measurements begin; absent: all are kept. */
  readonly historySince?: Instant;
  readonly now: Instant;
}

/** From the rollout's beginning to its end (its soak included) or to now, in whole spans. */
export function reportWindow(rollout: RolloutRecord, now: Instant): Window {
  const end = rollout.endedAt ?? now;
  return {
    from: instant(Math.floor(rollout.startedAt / TRAFFIC_SPAN) * TRAFFIC_SPAN),
    to: instant((Math.floor(end / TRAFFIC_SPAN) + 1) * TRAFFIC_SPAN),
  };
}

/** What failed for a reason of ours: nobody could take the request, or its answer broke off. */
const IMPACT: ReadonlySet<TrafficResult> = new Set(['Unavailable', 'Cut']);

export function buildReport(input: ReportInput): RolloutReport {
  const { rollout, measurements, coverage, isReported, blindSpots, historySince, now } = input;
  const window = reportWindow(rollout, now);
  const inWindow = input.counts.filter(({ from }) => from >= window.from && from < window.to);
  // Nobody waits for a copy: it is neither a request of a client nor an impact.
  const counts = inWindow.filter(({ route }) => route !== 'Mirror');
  const certainty = certaintyOf({
    // What was there before the rollout began, in the same span, need not be known.
    window: { from: rollout.startedAt, to: earliest(window.to, now) },
    coverage,
    isReported,
    blindSpots,
    now,
  });
  const withResult = (isMeant: (result: TrafficResult) => boolean): number =>
    sum(
      counts.filter(({ result }) => isMeant(result)),
      ({ requests }) => requests,
    );
  const figures = {
    requests: figure(
      withResult(() => true),
      certainty,
    ),
    impacted: figure(
      withResult((result) => IMPACT.has(result)),
      certainty,
    ),
    retries: figure(
      sum(counts, ({ retries }) => retries),
      certainty,
    ),
    cutStreams: figure(
      withResult((result) => result === 'Cut'),
      certainty,
    ),
    refusals: figure(
      withResult((result) => result === 'Refused'),
      certainty,
    ),
  };
  const { version: candidate, baseline } = rollout;
  const latency = latencyShift({ counts, candidate, baseline, certainty });
  const byVersion = versionRows(inWindow);
  return {
    rollout,
    service: rollout.service,
    window,
    summary: summaryOf({ rollout, figures, byVersion, now }),
    ...figures,
    byVersion,
    ...(latency === undefined ? {} : { latency }),
    timeline: timelineOf(counts, window),
    decisions: input.events
      .filter(({ service, at }) => service === rollout.service && at >= window.from && at < window.to)
      .map(({ at, actor, action, message }) => ({ at, actor, action, message })),
    measurements,
    ...(historySince !== undefined && historySince > rollout.startedAt ? { knownSince: historySince } : {}),
    ...(rollout.mixedFor === undefined ? {} : { mixedFor: rollout.mixedFor }),
  };
}

function figure(value: number, certainty: Certainty): Figure {
  return certainty.kind === 'NotMeasurable' ? { certainty } : { value, certainty };
}

function earliest(one: Instant, other: Instant): Instant {
  return instant(Math.min(one, other));
}
