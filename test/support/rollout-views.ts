/** Rollouts as operations show them: a shift under way, and what a test cares about replaced. */
import { create } from '@bufbuild/protobuf';
import { rolloutViewToMessage } from '../../src/admin/views-rollouts.ts';
import {
  type RolloutView as RolloutMessage,
  RolloutViewSchema,
} from '../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import type { AuditEvent } from '../../src/model/audit.ts';
import type { Check } from '../../src/model/check.ts';
import { type Instant, instant } from '../../src/model/instant.ts';
import type { CheckRun, Judgement, MeasuredOutcome, Measurement } from '../../src/model/measurement.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { type RolloutRecord, type RolloutStep, rolloutId, stepName } from '../../src/model/rollout.ts';
import type { RolloutView, StepView } from '../../src/operations/rollout-types.ts';
import type { VersionView } from '../../src/operations/types.ts';
import { anInstance, aSpec, aVersion } from './records.ts';

const manager = serviceName('manager');
export const [v41, v42, v43] = [versionName('v41'), versionName('v42'), versionName('v43')];

/** When the views below are looked at. */
export const NOW = Date.parse('2026-11-23T15:04:05Z');

/** So many seconds before NOW. */
export function ago(seconds: number): Instant {
  return instant(NOW - seconds * 1000);
}

const [shift5, shift25, shift100]: RolloutStep[] = [
  { kind: 'Shift', index: 0, weight: 5 },
  { kind: 'Shift', index: 1, weight: 25 },
  { kind: 'Shift', index: 2, weight: 100 },
];
export const WALK: readonly RolloutStep[] = [
  { kind: 'Deploy' },
  { kind: 'Verify' },
  shift5 as RolloutStep,
  shift25 as RolloutStep,
  shift100 as RolloutStep,
  { kind: 'Soak' },
];

/** The walk with this step as the present one; absent: all are done. */
export function stepsAt(current: number | undefined): StepView[] {
  return WALK.map((step, index) => ({
    step,
    progress: current === undefined || index < current ? 'Done' : index === current ? 'Current' : 'Ahead',
  }));
}

export function aRollout(replaced: Partial<RolloutRecord> = {}): RolloutRecord {
  return {
    id: rolloutId(manager, v43, 17),
    service: manager,
    version: v43,
    baseline: v42,
    policy: { traffic: aSpec().traffic },
    startedAt: ago(1200),
    startedBy: 'ada@box',
    reason: 'new scheduler',
    urgent: false,
    keeps: [],
    group: [],
    attempt: 1,
    state: 'Progressing',
    stateReason: 'Measuring',
    because: 'the checks of Shift-25 run',
    since: ago(1200),
    step: shift25 as RolloutStep,
    stepSince: ago(95),
    stepEverywhere: ago(94),
    promoted: [],
    ...replaced,
  };
}

export function aCheck(name: string, replaced: Partial<Check> = {}): Check {
  return {
    name,
    metric: { kind: 'builtin', name: 'SuccessRate' },
    condition: { limit: { min: 99 } },
    at: ['Verify', 'Shift', 'Soak'],
    interval: 15_000,
    count: 5,
    initialDelay: 0,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    minimumSamples: 100,
    noData: 'Hold',
    critical: true,
    dryRun: false,
    weight: 1,
    ...replaced,
  };
}

export function aMeasurement(
  check: string,
  judgement: Partial<Judgement>,
  replaced: { readonly outcome?: MeasuredOutcome; readonly step?: RolloutStep; readonly at?: Instant } = {},
): Measurement {
  const at = replaced.at ?? ago(5);
  return {
    rollout: rolloutId(manager, v43, 17),
    attempt: 1,
    step: stepName(replaced.step ?? (shift25 as RolloutStep)),
    check,
    service: manager,
    version: v43,
    baseline: v42,
    at,
    window: { from: instant(at - 15_000), to: at },
    queries: [`rate(${check}{version="v43"}[15s])`],
    outcome: replaced.outcome ?? {
      kind: 'Data',
      data: { kind: 'ratio', candidate: { events: 2, total: 1204 } },
    },
    judgement: {
      state: 'Passed',
      value: 99.834,
      limit: 'at least 99 %',
      samples: { candidate: 1204 },
      because: 'success rate 99.83 % of 1,204 requests is at least 99 %',
      ...judgement,
    },
  };
}

export function aRun(last: Measurement | undefined, replaced: Partial<CheckRun> = {}): CheckRun {
  return {
    check: last?.check ?? 'success-rate',
    state: 'Running',
    passed: 3,
    failed: 0,
    inconclusive: 0,
    noData: 0,
    errors: 0,
    consecutiveErrors: 0,
    ...(last && { last }),
    because: 'passed 3 of 5 measurements',
    nextAt: instant(NOW + 10_000),
    ...replaced,
  };
}

function ended(run: CheckRun): CheckRun {
  const { nextAt: _, ...rest } = run;
  return rest;
}

const latency = aCheck('latency-p99', {
  metric: { kind: 'builtin', name: 'LatencyP99' },
  condition: { comparison: { bad: 'Increase', tolerance: 0.1, falseAlarm: 0.05, variance: true } },
});
const latencyMeasured = aMeasurement(
  'latency-p99',
  {
    value: 183.4,
    baseline: 180.2,
    limit: 'at most 10 % above v42',
    samples: { candidate: 1204, baseline: 3650 },
    interval: { low: -4.2, high: 9.1 },
    smallestEffect: 0.08,
    because: 'p99 183 ms of 1,204 requests is 1.8 % above the 180 ms of v42',
  },
  { outcome: { kind: 'Data', data: { kind: 'histogram', candidate: [{ upTo: null, count: 1204 }] } } },
);

export function aRolloutView(replaced: Partial<RolloutView> = {}): RolloutView {
  return {
    record: aRollout(),
    steps: stepsAt(3),
    setWeight: 25,
    actualWeight: { percent: 24.82, requests: 1204 },
    checks: [
      { check: aCheck('success-rate'), run: aRun(aMeasurement('success-rate', {})) },
      { check: latency, run: aRun(latencyMeasured) },
    ],
    verdict: {
      state: 'Running',
      because: '2 of 2 checks still run',
      deciding: ['success-rate', 'latency-p99'],
    },
    waitsFor: [],
    openWork: [],
    wayBack: { isReady: true, to: v42, readyEndpoints: 3, problems: [] },
    ...replaced,
  };
}

/** A rollout whose flip was taken back by a check, with an old version that drains. */
export function aRolledBackView(): RolloutView {
  const bad = aMeasurement('success-rate', {
    state: 'Failed',
    value: 94.8,
    because: 'success rate 94.8 % of 1,204 requests is below 99 %',
  });
  return aRolloutView({
    record: aRollout({
      state: 'RolledBack',
      stateReason: 'CheckFailed',
      because: 'success-rate: success rate 94.8 % of 1,204 requests is below 99 %',
      since: ago(20),
      step: { kind: 'Soak' },
      stepSince: ago(60),
      movedBackAt: ago(20),
      endedAt: ago(19),
      attempt: 2,
    }),
    steps: stepsAt(5),
    setWeight: 0,
    actualWeight: { percent: 0, requests: 880 },
    checks: [
      {
        check: aCheck('success-rate'),
        run: ended(aRun(bad, { state: 'Failed', passed: 1, failed: 1, because: bad.judgement.because })),
      },
      {
        check: latency,
        run: aRun(undefined, {
          check: 'latency-p99',
          state: 'NoData',
          passed: 0,
          noData: 2,
          because: 'v43 has 12 of 100 samples that a verdict needs',
        }),
      },
    ],
    verdict: {
      state: 'Failed',
      because: 'success-rate failed: success rate 94.8 % of 1,204 requests is below 99 %',
      deciding: ['success-rate'],
      score: 50,
    },
    openWork: [
      { version: v41, open: 12, problem: '', expectedDrained: instant(NOW + 840_000) },
      { version: v43, problem: 'instance manager-v43-1 does not answer' },
    ],
    wayBack: { isReady: false, readyEndpoints: 0, problems: ['v43 is quarantined'] },
  });
}

/** A rollout that somebody has to move on, in a frozen service. */
export function aPausedView(): RolloutView {
  return aRolloutView({
    record: aRollout({
      state: 'Paused',
      stateReason: 'Approval',
      because: 'Shift-100 wants an approval',
      since: ago(240),
      urgent: true,
      group: [manager, serviceName('worker')],
    }),
    waitsFor: [
      'somebody to promote it: Shift-100 wants an approval',
      'the end of the freeze at 2026-11-23T20:00:00Z',
    ],
    freeze: {
      reason: 'end of the quarter',
      by: 'grace@box',
      since: ago(7300),
      until: instant(Date.parse('2026-11-23T20:00:00Z')),
    },
  });
}

function instancesOf(version: string, count: number): VersionView['instances'] {
  return Array.from({ length: count }, (_, index) =>
    anInstance(version, {
      id: `manager-${version}-${index + 1}`,
      address: { host: '127.0.0.1', port: 9000 + Number(version.slice(1)) * 10 + index },
      since: ago(1100),
    }),
  );
}

/** The versions beside a view: the candidate has a failing instance, the oldest one drains. */
export function someVersions(): VersionView[] {
  const [first, ...others] = instancesOf('v43', 3);
  return [
    {
      record: aVersion('v41', { state: 'Draining', reason: 'Teardown', since: ago(900), fenced: true }),
      instances: instancesOf('v41', 1),
      readyEndpoints: 1,
      weight: 0,
      isPrevious: false,
    },
    {
      record: aVersion('v42', { state: 'Primary', since: ago(400_000) }),
      instances: instancesOf('v42', 3),
      readyEndpoints: 3,
      weight: 75,
      isPrevious: false,
    },
    {
      record: aVersion('v43', { state: 'Ramping', since: ago(1100) }),
      instances: [
        ...(first ? [{ ...first, state: 'Failed' as const, reason: 'exit code 1', restarts: 2 }] : []),
        ...others,
      ],
      readyEndpoints: 2,
      weight: 25,
      isPrevious: false,
    },
  ];
}

export function someDecisions(): AuditEvent[] {
  const lines: [number, string, string, string][] = [
    [1200, 'ada@box', 'RolloutStarted', 'manager: the rollout of v43 begins; it is compared with v42'],
    [1100, 'controller', 'VersionReady', 'manager: v43 has 3 ready instances'],
    [
      400,
      'controller',
      'SetWeight',
      'manager: v43 gets 5% of the default traffic: Verify passed, success rate 99.9 % of 2,000 requests is at least 99 %',
    ],
    [95, 'controller', 'SetWeight', 'manager: v43 gets 25% of the default traffic: Shift-5 passed'],
  ];
  return lines.map(([seconds, actor, action, message], index) => ({
    sequence: index + 100,
    at: ago(seconds),
    actor,
    action,
    service: manager,
    reason: '',
    message,
    before: '',
    after: '',
  }));
}

/** The view as the API shows it. */
export function rolloutMessageOf(view: RolloutView): RolloutMessage {
  return create(
    RolloutViewSchema,
    rolloutViewToMessage({ view, versions: someVersions(), decisions: someDecisions() }),
  );
}
