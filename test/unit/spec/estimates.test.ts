import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Check } from '../../../src/model/check.ts';
import { NO_DELEGATES } from '../../../src/model/delegates.ts';
import { after, instant } from '../../../src/model/instant.ts';
import type { Measurement } from '../../../src/model/measurement.ts';
import { versionName } from '../../../src/model/names.ts';
import { rolloutId, stepName } from '../../../src/model/rollout.ts';
import type { VerificationSpec } from '../../../src/model/spec.ts';
import { describeEstimate, estimateRollout, FLIP_TIME } from '../../../src/spec/estimates.ts';
import { detectionTime, firstResult, lastResult } from '../../../src/spec/gate-times.ts';
import { checkRun } from '../../../src/verification/check-run.ts';
import { aCheck, aSpec, aTraffic, aVerification } from '../../support/records.ts';

const SCRAPE = 5_000;
const TIMEOUT = 10_000;
const service = aSpec().name;
const measured = aCheck({ at: ['Soak'] });
const probe = aCheck({
  at: ['Soak'],
  metric: {
    kind: 'http',
    method: 'GET',
    path: '/',
    headers: {},
    statuses: { from: 200, to: 299 },
    timeout: TIMEOUT,
  },
  condition: {},
});

/**
 * A soak of a check as the controller measures it, in simulated time: the step is everywhere at 0, a measurement takes up
 * to the timeout, and one whose window is not wholly bad passes, which is the worst that can happen.
 */
function soakUntilFailed(input: {
  readonly check: Check;
  readonly fault: number;
  /** How long each measurement takes. */
  readonly takes: (index: number) => number;
}): number {
  const { check, fault, takes } = input;
  const isProbe = check.metric.kind === 'http';
  const windowFrom = instant(isProbe ? 0 : SCRAPE);
  const until = instant(1e12);
  const measurements: Measurement[] = [];
  let now = instant(0);
  for (;;) {
    const run = checkRun({ check, step: 'Soak', measurements, windowFrom, until, now });
    if (run.state === 'Failed') return now;
    const asked = run.nextAt ?? until;
    const from = measurements.at(-1)?.window.to ?? windowFrom;
    // The newest sample may be a scrape old, so the window shows what happened a scrape before.
    const isBad = isProbe ? asked >= fault : from - SCRAPE >= fault;
    now = after(asked, takes(measurements.length));
    measurements.push({
      rollout: rolloutId(service, versionName('v2'), 1),
      attempt: 1,
      step: stepName({ kind: 'Soak' }),
      check: check.name,
      service,
      version: versionName('v2'),
      at: now,
      window: { from, to: asked },
      queries: [],
      outcome: { kind: 'Data', data: { kind: 'value', candidate: isBad ? 1 : 0 } },
      judgement: {
        state: isBad ? 'Failed' : 'Passed',
        limit: 'none',
        samples: { candidate: 1 },
        because: 'simulated',
      },
    });
  }
}

const verificationOf = (check: Check): VerificationSpec =>
  aVerification({
    checks: [check],
    soak: 600_000,
    prometheus: { url: 'http://127.0.0.1:9090', scrapeInterval: SCRAPE, timeout: TIMEOUT },
  });

describe('the longest time to rollback', () => {
  test.each([
    ['a measured check', measured],
    ['a probe', probe],
  ])('is never exceeded by the detection of %s, whenever the fault begins', (_, kind) => {
    fc.assert(
      fc.property(
        fc.record({
          interval: fc.integer({ min: 15_000, max: 120_000 }),
          initialDelay: fc.integer({ min: 0, max: 60_000 }),
          failureLimit: fc.integer({ min: 0, max: 3 }),
          fault: fc.integer({ min: 0, max: 600_000 }),
          slowness: fc.array(fc.integer({ min: 0, max: TIMEOUT }), { minLength: 1, maxLength: 5 }),
        }),
        ({ fault, slowness, ...times }) => {
          const check = { ...kind, ...times };
          const takes = (index: number) => slowness[index % slowness.length] ?? 0;
          const seen = soakUntilFailed({ check, fault, takes }) - fault;
          expect(seen).toBeLessThanOrEqual(detectionTime(check, verificationOf(check)));
        },
      ),
    );
  });

  test('is no longer than it must be: a fault that begins with a window comes within a round of it', () => {
    const takes = () => TIMEOUT;
    const worst = Math.max(
      ...Array.from({ length: 200 }, (_, index) => {
        const fault = 100_000 + index * 1_000;
        return soakUntilFailed({ check: measured, fault, takes }) - fault;
      }),
    );
    const bound = detectionTime(measured, verificationOf(measured));
    expect(worst).toBeLessThanOrEqual(bound);
    expect(worst).toBeGreaterThan(bound - 5_000);
  });

  test('is of the slowest critical check that decides, with the flip', () => {
    const slow = aCheck({ name: 'slow', interval: 60_000 });
    const policy = {
      traffic: aTraffic({ steps: [10, 100] }),
      verification: aVerification({
        soak: 600_000,
        checks: [
          // As long as the slow one, so that it leaves no part of a step unseen.
          aCheck({ count: 6 }),
          slow,
          aCheck({ name: 'dry', interval: 600_000, dryRun: true }),
          aCheck({ name: 'minor', interval: 600_000, critical: false, at: ['Soak'] }),
          aCheck({ name: 'before', interval: 600_000, at: ['Verify'] }),
        ],
      }),
    };
    const longest = detectionTime(slow, policy.verification) + FLIP_TIME;
    expect(estimateRollout(policy).rollback).toEqual({ check: 'slow', longest, dependsOnTraffic: false });
  });

  test('does not grow with how long a step lasts, since its checks are measured on', () => {
    const check = aCheck({ at: ['Shift'] });
    const policy = {
      traffic: aTraffic({ steps: [10, 100], stepDuration: 3_600_000 }),
      verification: aVerification({ checks: [check] }),
    };
    const { rollback } = estimateRollout(policy);
    expect(rollback?.longest).toBe(detectionTime(check, policy.verification) + FLIP_TIME);
  });

  test('includes the whole shift where a check looks only at the soak', () => {
    const check = aCheck({ at: ['Soak'] });
    const policy = {
      traffic: aTraffic({ steps: [10, 50, 100], stepDuration: 60_000 }),
      verification: aVerification({ checks: [check], soak: 600_000 }),
    };
    expect(estimateRollout(policy).rollback?.longest).toBe(
      detectionTime(check, policy.verification) + 120_000 + FLIP_TIME,
    );
  });

  test('is none where nothing measures once the version gets traffic, and says so', () => {
    for (const verification of [undefined, aVerification({ checks: [aCheck({ at: ['Verify'] })] })]) {
      const estimate = estimateRollout({ traffic: aTraffic(), ...(verification && { verification }) });
      expect(estimate.rollback).toBeUndefined();
      expect(describeEstimate(estimate)[1]).toMatch(/none is made/);
    }
  });

  test('is told to depend on the traffic where the check only compares', () => {
    const comparison = { bad: 'Decrease', tolerance: 1, falseAlarm: 0.05, variance: false } as const;
    const verification = aVerification({ checks: [aCheck({ condition: { comparison } })] });
    const estimate = estimateRollout({ traffic: aTraffic({ steps: [10, 100] }), verification });
    expect(estimate.rollback?.dependsOnTraffic).toBe(true);
    expect(describeEstimate(estimate)[1]).toMatch(/where there is traffic enough to compare$/);
  });
});

describe('the shortest time to success', () => {
  test('has the waits of the waves in it, and says that boxes need their own time', () => {
    const wave = { groups: [], canaries: 0, windows: [], maxInFlight: 1, maxFailed: 0 };
    const waves = [
      { ...wave, name: 'canary', groups: ['internal'], wait: 0 },
      { ...wave, name: 'rest', wait: 3_600_000 },
    ];
    const delegates = { ...NO_DELEGATES, source: { kind: 'grpc' }, waves } as const;
    const estimate = estimateRollout({ traffic: aTraffic({ promotion: 'Automatic' }), delegates });
    expect(estimate).toMatchObject({ shortestSuccess: 3_600_000, waitsForDelegates: true });
    expect(describeEstimate(estimate)[0]).toContain('1h after the instances are ready');
    expect(describeEstimate(estimate)[0]).toContain('the time until its delegates are registered');
  });

  test('is nothing where nothing is verified and nobody waits', () => {
    expect(estimateRollout({ traffic: aTraffic({ promotion: 'Automatic' }) })).toEqual({
      shortestSuccess: 0,
      waitsForOperator: false,
      waitsForDelegates: false,
      hasWindows: false,
    });
  });

  test('is the gate of Verify, the longer of duration and checks for the cohort and each step, and the soak', () => {
    const check = aCheck({ count: 4, initialDelay: 7_000 });
    const verification = aVerification({ checks: [check], soak: 90_000 });
    // One scrape, the delay, four windows.
    const gate = 5_000 + 7_000 + 4 * 30_000;
    expect(lastResult(check, verification)).toBe(gate);
    const steps = { steps: [5, 25, 100], cohort: { tenants: [], headers: [{ name: 'x-beta', value: 'a' }] } };
    expect(estimateRollout({ traffic: aTraffic(steps), verification }).shortestSuccess).toBe(
      gate + 3 * gate + 90_000,
    );
    const slower = aTraffic({ ...steps, stepDuration: 600_000 });
    expect(estimateRollout({ traffic: slower, verification }).shortestSuccess).toBe(
      gate + 3 * 600_000 + 90_000,
    );
  });

  test('counts no window for a probe, and nothing for a dry run', () => {
    const verification = aVerification({ checks: [{ ...probe, at: ['Verify'] }, aCheck({ dryRun: true })] });
    expect(firstResult(probe, verification)).toBe(0);
    expect(estimateRollout({ traffic: aTraffic(), verification }).shortestSuccess).toBe(2 * 30_000);
  });

  test('names what takes as long as it takes', () => {
    const windows = [{ days: ['Monday'], startMinute: 0, duration: 60_000 }] as const;
    const [success] = describeEstimate(estimateRollout({ traffic: aTraffic({ windows }) }));
    expect(success).toBe(
      'shortest time to success: 0s after the instances are ready, and the time until an operator promotes and the time outside of its windows',
    );
  });
});
