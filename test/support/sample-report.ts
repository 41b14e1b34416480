/**
 * A rollout of v3 over v2 that was bad and was rolled back, as proxies and judges would have recorded it: all numbers
 * follow from the few below, without chance.
 */
import { instant } from '../../src/model/instant.ts';
import { type Judgement, type Measurement } from '../../src/model/measurement.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { RolloutReport } from '../../src/model/report.ts';
import { type RolloutStep, rolloutId, stepName } from '../../src/model/rollout.ts';
import {
  DURATION_BOUNDS,
  TRAFFIC_SPAN,
  type TrafficCount,
  type TrafficCoverage,
} from '../../src/model/traffic.ts';
import { buildReport, type ReportInput } from '../../src/report/build.ts';
import { aCheck, aRollout, aVerification } from './rollouts.ts';

const MANAGER = serviceName('manager');
export const V2 = versionName('v2');
export const V3 = versionName('v3');
/** 2026-11-23T12:00:00Z, a multiple of a span. */
export const NOON = Date.UTC(2026, 10, 23, 12);

const SPANS = 36;
const SHIFT_AT = 8;
const BACK_AT = 20;

/** Durations of `requests` requests around a median of about `middle` milliseconds: a triangle of nine buckets. */
export function durationsAround(middle: number, requests: number): number[] {
  const durations: number[] = DURATION_BOUNDS.map(() => 0).concat(0);
  const centre = DURATION_BOUNDS.findIndex((bound) => bound >= middle);
  const shape = [1, 2, 3, 4, 5, 4, 3, 2, 1];
  let left = requests;
  for (const [index, part] of shape.entries()) {
    const bucket = centre + index - 4;
    const count = index === shape.length - 1 ? left : Math.floor((requests * part) / 25);
    durations[bucket] = (durations[bucket] ?? 0) + count;
    left -= count;
  }
  return durations;
}

/** A count with the rest filled in. */
export function aCount(replaced: Partial<TrafficCount> & { readonly span?: number } = {}): TrafficCount {
  const { span = 0, ...rest } = replaced;
  const requests = rest.requests ?? 1;
  return {
    service: MANAGER,
    version: V2,
    route: 'Default',
    result: 'Success',
    from: instant(NOON + span * TRAFFIC_SPAN),
    requests,
    retries: 0,
    durations: durationsAround(10, requests),
    ...rest,
  };
}

function counts(): TrafficCount[] {
  return Array.from({ length: SPANS }, (_, span) => {
    const isShared = span >= SHIFT_AT && span < BACK_AT;
    const rows = [
      aCount({ span, requests: isShared ? 375 : 500, retries: span === 3 ? 2 : 0 }),
      aCount({ span, version: versionName('v1'), route: 'Pin', requests: 40 }),
    ];
    if (span % 6 === 0) {
      const { version: _nobody, ...nowhere } = aCount({
        span,
        route: 'Refused',
        result: 'Refused',
        requests: 1,
      });
      rows.push(nowhere);
    }
    if (!isShared) return rows;
    return [
      ...rows,
      aCount({ span, version: V3, requests: 118, durations: durationsAround(20, 118) }),
      aCount({ span, version: V3, result: 'ServerError', requests: 6 }),
      ...(span === 19 ? [aCount({ span, version: V3, result: 'Cut', requests: 1 })] : []),
    ];
  }).flat();
}

function measured(index: number, step: RolloutStep, check: string, judgement: Judgement): Measurement {
  const at = instant(NOON + index * TRAFFIC_SPAN);
  return {
    rollout: rolloutId(MANAGER, V3, 12),
    attempt: 1,
    step: stepName(step),
    check,
    service: MANAGER,
    version: V3,
    baseline: V2,
    at,
    window: { from: instant(at - 10_000), to: at },
    queries: [],
    outcome: { kind: 'NoData', reason: 'not kept in this sample' },
    judgement,
  };
}

function measurements(): Measurement[] {
  const shift = { kind: 'Shift', index: 0, weight: 25 } as const;
  const success = [99.9, 98.2, 95.2];
  const verify = measured(6, { kind: 'Verify' }, 'starts', {
    state: 'NoData',
    limit: 'at most 0',
    samples: { candidate: 0 },
    because: 'no sample is newer than two scrapes',
  });
  const atShift = success.flatMap((value, index) => {
    const failed = value < 99;
    return [
      measured(11 + 3 * index, shift, 'errors', {
        state: failed ? 'Failed' : 'Passed',
        value,
        limit: 'at least 99 %',
        samples: { candidate: 240 },
        interval: { low: value - 2, high: value + 0.1 },
        because: `success rate ${value} % of 240 requests is ${failed ? 'below' : 'at least'} 99 %`,
      }),
      measured(11 + 3 * index, shift, 'latency', {
        state: 'Inconclusive',
        value: 19 + index,
        baseline: 10,
        limit: 'at most 10 % above v2',
        samples: { candidate: 240, baseline: 750 },
        because: 'p95 is above v2, not yet surely',
      }),
    ];
  });
  return [verify, ...atShift];
}

/** What buildReport is given for it. */
export function sampleInput(replaced: Partial<ReportInput> = {}): ReportInput {
  const event = (index: number, action: string, message: string) => ({
    sequence: index + 1,
    at: instant(NOON + index * TRAFFIC_SPAN),
    actor: 'controller',
    action,
    service: MANAGER,
    reason: '',
    message,
    before: '',
    after: '',
  });
  const coverage: TrafficCoverage = {
    from: instant(NOON - 3_600_000),
    to: instant(NOON + 3_600_000),
    gaps: [],
  };
  return {
    rollout: aRollout({
      id: rolloutId(MANAGER, V3, 12),
      version: V3,
      baseline: V2,
      policy: {
        traffic: aRollout().policy.traffic,
        verification: aVerification({
          checks: [
            aCheck(),
            aCheck({ name: 'latency', condition: {} }),
            aCheck({ name: 'starts', condition: { limit: { max: 0 } } }),
          ],
        }),
      },
      startedAt: instant(NOON),
      startedBy: 'ada',
      reason: 'the release of the week',
      state: 'RolledBack',
      stateReason: 'GateFailed',
      because: 'errors failed at Shift-25: success rate 95.2 % of 240 requests is below 99 %',
      mixedFor: 42,
      primaryServiceGaps: [
        {
          name: 'manager',
          routes: V2,
          service: V3,
          from: instant(NOON + BACK_AT * TRAFFIC_SPAN),
          until: instant(NOON + BACK_AT * TRAFFIC_SPAN + 230),
        },
      ],
      endedAt: instant(NOON + (SPANS - 1) * TRAFFIC_SPAN + 1_000),
    }),
    events: [
      event(0, 'RolloutStarted', 'manager: v3 begins beside v2'),
      event(SHIFT_AT, 'RolloutStep', 'manager: 25 percent of default traffic to v3'),
      event(BACK_AT, 'RolledBack', 'manager: all default traffic back to v2: errors failed'),
    ],
    counts: counts(),
    measurements: measurements(),
    coverage: [coverage],
    isReported: true,
    blindSpots: [],
    now: instant(NOON + 1_000_000),
    ...replaced,
  };
}

/** The report of it. */
export function sampleReport(replaced: Partial<ReportInput> = {}): RolloutReport {
  return buildReport(sampleInput(replaced));
}
