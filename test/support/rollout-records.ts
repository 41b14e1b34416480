/** A rollout, its checks and what was measured for them: a shift under way, with what a test cares about replaced. */
import type { Check } from '../../src/model/check.ts';
import { type Instant, instant } from '../../src/model/instant.ts';
import type { CheckRun, Judgement, MeasuredOutcome, Measurement } from '../../src/model/measurement.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { type RolloutRecord, type RolloutStep, rolloutId, stepName } from '../../src/model/rollout.ts';
import type { StepView } from '../../src/operations/rollout-types.ts';
import { aSpec } from './records.ts';

export const manager = serviceName('manager');
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
const WALK: readonly RolloutStep[] = [
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
