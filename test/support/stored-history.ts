/** Rollouts, measurements and counts of requests for tests of stores: complete, with what a test cares about chosen. */
import { instant } from '../../src/model/instant.ts';
import type { MeasuredOutcome, Measurement } from '../../src/model/measurement.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import {
  type RolloutId,
  type RolloutRecord,
  type RolloutState,
  rolloutId,
  stepName,
} from '../../src/model/rollout.ts';
import type { ServiceRecord } from '../../src/model/state.ts';
import { DURATION_BOUNDS, type TrafficCount, type TrafficCoverage } from '../../src/model/traffic.ts';
import { aTraffic, aVerification } from './records.ts';
import { serviceRecord } from './stored-records.ts';

const since = instant(1_700_000_000_000);

/** A rollout of v2 in the middle of its shift, or ended. */
export function rolloutRecord(wanted: {
  service?: string;
  version?: string;
  generation?: number;
  state?: RolloutState;
}): RolloutRecord {
  const service = serviceName(wanted.service ?? 'manager');
  const version = versionName(wanted.version ?? 'v2');
  return {
    id: rolloutId(service, version, wanted.generation ?? 1),
    service,
    version,
    baseline: versionName('v1'),
    policy: { traffic: aTraffic({ steps: [10, 100] }), verification: aVerification() },
    startedAt: since,
    startedBy: 'ada',
    reason: 'release 2',
    urgent: false,
    keeps: [versionName('v1')],
    group: [],
    attempt: 1,
    state: wanted.state ?? 'Progressing',
    stateReason: 'Shift',
    because: 'the checks of Verify have passed',
    since,
    step: { kind: 'Shift', index: 0, weight: 10 },
    stepSince: since,
    stepEverywhere: instant(since + 20),
    primaryServiceGaps: [
      { name: 'manager', routes: versionName('v2'), from: since, until: instant(since + 30) },
      { name: 'manager', routes: versionName('v1'), service: versionName('v2'), from: instant(since + 40) },
    ],
    promoted: [stepName({ kind: 'Verify' })],
  };
}

/** A service in the middle of this rollout. */
export function recordWith(rollout: RolloutRecord, generation = 1): ServiceRecord {
  return { ...serviceRecord({ name: rollout.service, generation }), rollout };
}

/** The `number`th look at a check of a rollout. */
export function measurement(rollout: RolloutId, number: number, outcome = SOME_ERRORS): Measurement {
  return {
    rollout,
    attempt: 1,
    step: stepName({ kind: 'Verify' }),
    check: 'errors',
    service: serviceName('manager'),
    version: versionName('v2'),
    baseline: versionName('v1'),
    at: instant(since + number * 5_000),
    window: { from: instant(since + (number - 1) * 5_000), to: instant(since + number * 5_000) },
    queries: ['envoy_cluster_upstream_rq_total{envoy_cluster_name="manager/v2"}[10s]'],
    outcome,
    judgement: {
      state: 'Passed',
      value: 99.5,
      limit: 'at least 99 %',
      samples: { candidate: 200, baseline: 1_800 },
      interval: { low: 98.2, high: 99.9 },
      because: `success rate 99.5 % of 200 requests is at least 99 %, look ${number}`,
    },
  };
}

const SOME_ERRORS: MeasuredOutcome = {
  kind: 'Data',
  data: {
    kind: 'ratio',
    candidate: { events: 1, total: 200 },
    baseline: { events: 3, total: 1_800 },
  },
};

/** Requests of v1 that succeeded within one span. */
export function trafficCount(replaced: Partial<TrafficCount> = {}): TrafficCount {
  return {
    service: serviceName('manager'),
    version: versionName('v1'),
    route: 'Default',
    result: 'Success',
    from: since,
    requests: 12,
    retries: 1,
    durations: Array.from({ length: DURATION_BOUNDS.length + 1 }, (_, bucket) => (bucket === 9 ? 12 : 0)),
    ...replaced,
  };
}

/** A time in which somebody counted, with a gap. */
export function trafficCoverage(from: number, to: number): TrafficCoverage {
  const gap = {
    proxy: 'gateway-1',
    from: instant(from),
    to: instant(from),
    requests: 3,
    why: 'it restarted',
  };
  return { from: instant(from), to: instant(to), gaps: [gap] };
}
