// A stored rollout under another policy.
import { describe, expect, test } from 'vitest';
import type { Check } from '../../../src/model/check.ts';
import { instant } from '../../../src/model/instant.ts';
import type { VerificationSpec } from '../../../src/model/spec.ts';
import { replay } from '../../../src/verification/replay.ts';
import { aMeasurement, failure, judged, noData, successes } from '../../support/judge/measurements.ts';
import { aCheck, aRollout, aTraffic, aVerification } from '../../support/rollouts.ts';

const good = successes([1_000, 1_000], [1_000, 1_000]);
const weak = successes([985, 1_000], [1_000, 1_000]);

function rolloutWith(verification: VerificationSpec) {
  return aRollout({ policy: { traffic: aTraffic(), verification } });
}

const lax = aCheck({ condition: { limit: { min: 95 } } });
const strict = aCheck({ condition: { limit: { min: 99 } } });
const own = aVerification({ checks: [lax] });
const other = (...checks: readonly Check[]) => aVerification({ checks });

describe('another policy', () => {
  const measurements = [
    ...judged(lax, [good, good, good]),
    ...judged(lax, [good, weak, good], { step: 'Shift', name: 'Shift-25' }).map((each) => ({
      ...each,
      at: instant(each.at + 100_000),
    })),
  ];

  test('is judged on the same data, and names where and when it would have ended', () => {
    const { steps, message } = replay({
      rollout: rolloutWith(own),
      measurements,
      verification: other(strict),
    });
    expect(
      steps.map(({ step, decided, wouldDecide, at }) => [step, decided.state, wouldDecide.state, at]),
    ).toEqual([
      ['Verify', 'Passed', 'Passed', 30_000],
      ['Shift-25', 'Passed', 'Failed', 120_000],
    ]);
    expect(message).toBe(
      'the rollout would have failed at Shift-25 120 s after it began: errors: success rate 98.5 % of 1,000 requests is below 99 %',
    );
  });

  test('is not stopped at a step that was judged afresh: the later attempt tells', () => {
    const interrupted = judged(lax, [good]);
    const again = judged(lax, [good, good, good]).map((each) => ({
      ...each,
      attempt: 2,
      at: instant(each.at + 50_000),
    }));
    const { message } = replay({
      rollout: rolloutWith(own),
      measurements: [...interrupted, ...again],
      verification: own,
    });
    expect(message).toBe('every step that was measured would have passed (2 of them)');
  });

  test('may ask for a comparison, which looks at all windows of the step', () => {
    const compared = aCheck({
      condition: { comparison: { bad: 'Decrease', tolerance: 0, falseAlarm: 0.05, variance: false } },
    });
    const { steps } = replay({ rollout: rolloutWith(own), measurements, verification: other(compared) });
    expect(steps.map(({ wouldDecide }) => wouldDecide.state)).toEqual(['Passed', 'Failed']);
    expect(steps[1]?.checks[0]?.last?.judgement.samples).toEqual({ candidate: 2_000, baseline: 2_000 });
  });

  test('whose checks were never measured is not passed, and they are named', () => {
    const { steps, message } = replay({
      rollout: rolloutWith(own),
      measurements,
      verification: other(strict, aCheck({ name: 'latency' }), aCheck({ name: 'later', at: ['Soak'] })),
    });
    expect(steps[0]?.unmeasured).toEqual(['latency']);
    expect(steps[0]?.wouldDecide.state).toBe('Running');
    expect(steps[0]?.at).toBeUndefined();
    expect(message).toContain('would have still been measuring at Verify');
  });

  test('without a check passes each step, and says so', () => {
    const { steps, message } = replay({ rollout: rolloutWith(own), measurements, verification: other() });
    expect(steps.map(({ wouldDecide }) => wouldDecide.because)).toEqual([
      'no check guards this step',
      'no check guards this step',
    ]);
    expect(message).toBe('every step that was measured would have passed (2 of them)');
  });
});

test('attempts are judged apart', () => {
  const first = judged(lax, [weak]).map((each) => ({ ...each, attempt: 1 }));
  const second = judged(lax, [good, good, good]).map((each) => ({
    ...each,
    attempt: 2,
    at: instant(each.at + 500_000),
  }));
  const { steps } = replay({
    rollout: rolloutWith(own),
    measurements: [...second, ...first],
    verification: other(strict),
  });
  expect(steps.map(({ attempt, wouldDecide }) => [attempt, wouldDecide.state])).toEqual([
    [1, 'Failed'],
    [2, 'Passed'],
  ]);
});

test('a longer soak than was measured is not passed', () => {
  const soaked = judged(lax, [good, good, good], { step: 'Soak' });
  const soak = (length: number) =>
    replay({
      rollout: rolloutWith(aVerification({ checks: [lax], soak: 40_000 })),
      measurements: soaked,
      verification: aVerification({ checks: [lax], soak: length }),
    }).steps[0];
  expect(soak(40_000)).toMatchObject({
    decided: { state: 'Passed' },
    wouldDecide: { state: 'Passed' },
    at: 40_000,
  });
  expect(soak(90_000)).toMatchObject({ decided: { state: 'Passed' }, wouldDecide: { state: 'Running' } });
});

test('errors and missing data stay what they were', () => {
  const measurements = judged(lax, [failure, noData]);
  const { steps } = replay({ rollout: rolloutWith(own), measurements, verification: other(strict) });
  expect(steps[0]?.wouldDecide.state).toBe('NoData');
});

test('a rollout without measurements says so', () => {
  expect(replay({ rollout: rolloutWith(own), measurements: [], verification: own }).message).toContain(
    'is stored, so there is nothing to judge',
  );
});

test('measurements of steps that are not checked are left out', () => {
  const measurements = [aMeasurement({ at: 1_000, step: 'Deploy' })];
  expect(replay({ rollout: rolloutWith(own), measurements, verification: own }).steps).toEqual([]);
});
