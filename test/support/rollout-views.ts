/** Views of rollouts as operations show them: a shift under way, one that waits for somebody, one that was taken back. */
import { create } from '@bufbuild/protobuf';
import { rolloutViewToMessage } from '../../src/admin/views-rollouts.ts';
import {
  type RolloutView as RolloutMessage,
  RolloutViewSchema,
} from '../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import type { AuditEvent } from '../../src/model/audit.ts';
import { instant } from '../../src/model/instant.ts';
import type { CheckRun } from '../../src/model/measurement.ts';
import { serviceName, tenantName } from '../../src/model/names.ts';
import type { TenantParity } from '../../src/model/parity.ts';
import type { RolloutView, StepView } from '../../src/operations/rollout-types.ts';
import type { VersionView } from '../../src/operations/types.ts';
import { anInstance, aVersion } from './records.ts';
import {
  aCheck,
  ago,
  aMeasurement,
  aRollout,
  aRun,
  manager,
  NOW,
  stepsAt,
  v41,
  v42,
  v43,
} from './rollout-records.ts';

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
      primaryServiceGaps: [{ name: 'manager', routes: v42, service: v43, from: ago(20) }],
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
      {
        version: v41,
        open: 12,
        problem: '',
        expectedDrained: instant(NOW + 840_000),
        certificate: 'atomic',
        split: {
          executions: 4,
          events: { queued: 1, leased: 2, delayed: 0 },
          tasks: { queued: 0, leased: 5, delayed: 0 },
          deadLetters: 0,
        },
      },
      { version: v43, problem: 'instance manager-v43-1 does not answer' },
    ],
    wayBack: { isReady: false, readyEndpoints: 0, problems: ['v43 is quarantined'] },
  });
}

/** A rollout that waits for delegates; one tenant it would hold back. */
export function aRegisteringView(): RolloutView {
  const tenant = (name: string, expected: number, ready: number): TenantParity => ({
    tenant: tenantName(name),
    state: ready === expected ? 'Passed' : 'Missing',
    expected,
    ready,
    missing: [],
    switching: [],
    offline: { count: 0, boxes: [] },
  });
  const because =
    '10 of 13 delegates registered at v43; 2 of 3 tenants not complete: acme, globex; HoldBack at 2026-11-24T21:00:00Z';
  const [deploy, ...ahead] = stepsAt(1);
  if (deploy === undefined) throw new Error('the walk has steps');
  const register: StepView = { step: { kind: 'Register' }, progress: 'Current' };
  const later = ahead.map(({ step }): StepView => ({ step, progress: 'Ahead' }));
  const { verdict: _none, ...view } = aRolloutView({
    steps: [deploy, register, ...later],
    record: aRollout({
      state: 'Progressing',
      stateReason: 'Registering',
      because,
      since: ago(95),
      step: { kind: 'Register' },
      stepSince: ago(95),
    }),
    setWeight: 0,
    actualWeight: { percent: 0, requests: 880 },
    checks: [],
    waitsFor: [because],
    delegates: {
      parity: {
        verdict: { kind: 'Waiting' },
        because,
        expected: 13,
        ready: 10,
        tenants: [tenant('acme', 5, 3), tenant('globex', 4, 3), tenant('initech', 4, 4)],
        lines: [
          'acme 3/5: box-9 crash-looping: exited with code 1, box-7 waits for its window (opens 22:00)',
          'globex 3/4: box-2 fetches it',
        ],
      },
      expected: 13,
      ready: 10,
      heldBack: [tenantName('hooli')],
    },
  });
  return view;
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
function someVersions(): VersionView[] {
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

function someDecisions(): AuditEvent[] {
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
