// Safety rules of verification, each a sentence, over random checks and random courses of measurements.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKED_STEPS, type Check, type CheckState } from '../../../src/model/check.ts';
import { instant } from '../../../src/model/instant.ts';
import type { MeasuredOutcome, Measurement, Verdict } from '../../../src/model/measurement.ts';
import { checkRun } from '../../../src/verification/check-run.ts';
import { gateVerdict } from '../../../src/verification/gate.ts';
import { judge } from '../../../src/verification/judge.ts';
import { replay } from '../../../src/verification/replay.ts';
import {
  BASELINE,
  CANDIDATE,
  data,
  failure,
  judged,
  noData,
  successes,
} from '../../support/judge/measurements.ts';
import { aCheck, aRollout, aTraffic, aVerification } from '../../support/rollouts.ts';

const INTERVAL = 10_000;

const condition: fc.Arbitrary<Check['condition']> = fc.constantFrom(
  { limit: { min: 99 } },
  { comparison: { bad: 'Decrease', tolerance: 0.5, falseAlarm: 0.05, variance: false } },
  { limit: { min: 90 }, comparison: { bad: 'Either', tolerance: 0, falseAlarm: 0.2, variance: true } },
);

/** Checks with every policy but `noData`, which each rule chooses. */
const checks = (...policies: readonly Check['noData'][]): fc.Arbitrary<Check> =>
  fc
    .record({
      condition,
      count: fc.integer({ min: 1, max: 5 }),
      failureLimit: fc.nat({ max: 3 }),
      inconclusiveLimit: fc.nat({ max: 3 }),
      consecutiveErrorLimit: fc.nat({ max: 3 }),
      minimumSamples: fc.constantFrom(0, 1, 20),
      noData: fc.constantFrom(...policies),
      critical: fc.boolean(),
      weight: fc.constantFrom(0.5, 1, 3),
    })
    .map((replaced) => aCheck({ ...replaced, interval: INTERVAL }));

/** What is no data: nothing, an error, no requests, no number, and somebody who has not decided. */
const withoutData: fc.Arbitrary<MeasuredOutcome> = fc.constantFrom(
  noData,
  failure,
  successes([0, 0]),
  successes([0, 0], [1_000, 1_000]),
  data({ kind: 'value', candidate: Number.NaN, baseline: Number.NaN }),
  data({ kind: 'value', candidate: Infinity }),
  data({ kind: 'histogram', candidate: [], baseline: [{ upTo: 1, count: 50 }] }),
  data({ kind: 'histogram', candidate: [{ upTo: null, count: 0 }] }),
  data({ kind: 'answer', answer: 'undecided', detail: '' }),
);

const share = fc.integer({ min: 0, max: 300 }).map((failed) => [1_000 - failed, 1_000] as const);
const withData: fc.Arbitrary<MeasuredOutcome> = fc.oneof(
  fc.tuple(share, share).map(([candidate, baseline]) => successes(candidate, baseline)),
  fc.constant(successes([1_000, 1_000], [1_000, 1_000])),
);
const anything = fc.oneof({ weight: 3, arbitrary: withData }, { weight: 1, arbitrary: withoutData });
const step = fc.constantFrom(...CHECKED_STEPS);

function stateOf(check: Check, measurements: readonly Measurement[], place: Place): CheckState {
  return runOf(check, measurements, place).state;
}

interface Place {
  readonly step: (typeof CHECKED_STEPS)[number];
  readonly now: number;
}

/** A soak lasts five intervals. */
function runOf(check: Check, measurements: readonly Measurement[], { step: at, now }: Place) {
  const soak = at === 'Soak' ? { until: instant(5 * INTERVAL) } : {};
  return checkRun({ check, step: at, measurements, windowFrom: instant(0), ...soak, now: instant(now) });
}

describe('no data is never success', () => {
  test('a check that never held data is not Passed, at any step and time, unless its policy says so', () => {
    fc.assert(
      fc.property(
        checks('Hold', 'Fail'),
        step,
        fc.array(withoutData, { maxLength: 8 }),
        fc.nat({ max: 20 }),
        (check, at, outcomes, later) => {
          const now = (outcomes.length + later) * INTERVAL;
          const measurements = judged(check, outcomes, { step: at });
          expect(stateOf(check, measurements, { step: at, now })).not.toBe('Passed');
        },
      ),
    );
  });

  test('a gate whose checks never held data is not Passed, with any scores', () => {
    const course = fc.tuple(checks('Hold', 'Fail'), fc.array(withoutData, { maxLength: 5 }));
    fc.assert(
      fc.property(
        fc.array(course, { minLength: 1, maxLength: 4 }),
        step,
        fc.nat({ max: 100 }),
        fc.nat({ max: 100 }),
        (courses, at, passScore, marginalScore) => {
          const named = courses.map(([check, outcomes], index) => ({
            check: { ...check, name: `check-${index}` },
            outcomes,
          }));
          const runs = named.map(({ check, outcomes }) =>
            runOf(check, judged(check, outcomes, { step: at }), { step: at, now: 10 * INTERVAL }),
          );
          const verdict = gateVerdict({
            checks: named.map(({ check }) => check),
            runs,
            passScore,
            marginalScore,
          });
          expect(verdict.state).not.toBe('Passed');
        },
      ),
    );
  });

  test('a check passes only with a measurement that passed, or a policy that lets missing data pass', () => {
    fc.assert(
      fc.property(
        checks('Hold', 'Fail', 'Pass'),
        step,
        fc.array(anything, { maxLength: 8 }),
        (check, at, outcomes) => {
          const run = runOf(check, judged(check, outcomes, { step: at }), { step: at, now: 9 * INTERVAL });
          fc.pre(run.state === 'Passed');
          expect(run.passed > 0 || (check.noData === 'Pass' && run.noData > 0)).toBe(true);
        },
      ),
    );
  });
});

test('a check that ended stays as it ended, whatever is measured later', () => {
  fc.assert(
    fc.property(
      checks('Hold', 'Fail', 'Pass'),
      step,
      fc.array(anything, { minLength: 1, maxLength: 7 }),
      fc.array(anything, { maxLength: 4 }),
      (check, at, before, after) => {
        const all = judged(check, [...before, ...after], { step: at });
        const early = runOf(check, all.slice(0, before.length), { step: at, now: before.length * INTERVAL });
        fc.pre(early.nextAt === undefined);
        const late = runOf(check, all, { step: at, now: (all.length + 9) * INTERVAL });
        expect(late).toEqual(early);
      },
    ),
  );
});

test('a failure beyond the limit is Failed, whatever else was measured before it', () => {
  fc.assert(
    fc.property(
      checks('Hold', 'Fail', 'Pass'),
      step,
      fc.array(anything, { maxLength: 6 }),
      (check, at, outcomes) => {
        const measurements = judged(check, outcomes, { step: at });
        const run = runOf(check, measurements, { step: at, now: 9 * INTERVAL });
        const failed = run.failed + (check.noData === 'Fail' ? run.noData : 0);
        expect(run.state === 'Failed').toBe(failed > check.failureLimit);
      },
    ),
  );
});

const WORST_FIRST: readonly Verdict['state'][] = [
  'Failed',
  'Error',
  'Inconclusive',
  'NoData',
  'Running',
  'Passed',
];

test('a gate is as bad as its worst critical check, in any order of the checks', () => {
  const state = fc.constantFrom<CheckState>(
    'Pending',
    'Running',
    'Passed',
    'Failed',
    'Error',
    'Inconclusive',
    'NoData',
  );
  const counts = { passed: 0, failed: 0, inconclusive: 0, noData: 0, errors: 0, consecutiveErrors: 0 };
  fc.assert(
    fc.property(fc.array(state, { minLength: 1, maxLength: 6 }), (states) => {
      const all = states.map((each, index) => aCheck({ name: `check-${index}` }) && { index, each });
      const verdictOf = (order: typeof all) =>
        gateVerdict({
          checks: order.map(({ index }) => aCheck({ name: `check-${index}` })),
          runs: order.map(({ index, each }) => ({
            check: `check-${index}`,
            state: each,
            ...counts,
            because: '',
          })),
          passScore: 100,
          marginalScore: 100,
        });
      const asVerdict = (each: CheckState) => (each === 'Pending' ? 'Running' : each);
      const worst = WORST_FIRST.find((verdict) => states.some((each) => asVerdict(each) === verdict));
      expect(verdictOf(all).state).toBe(worst);
      expect(verdictOf(all.toReversed()).state).toBe(worst);
    }),
  );
});

test('with more failed requests a candidate is never judged better', () => {
  const rank = (failed: number, baseline: number, check: Check) =>
    WORST_FIRST.indexOf(
      judge({
        check,
        step: 'Shift',
        outcome: successes([1_000 - failed, 1_000], [1_000 - baseline, 1_000]),
        earlier: [],
        version: CANDIDATE,
        baseline: BASELINE,
      }).state,
    );
  const oneSided = checks('Hold').filter(({ condition: { comparison } }) => comparison?.bad !== 'Either');
  const failures = fc.nat({ max: 300 });
  fc.assert(
    fc.property(oneSided, failures, failures, failures, (check, some, others, baseline) => {
      const [fewer, more] = [Math.min(some, others), Math.max(some, others)];
      expect(rank(more, baseline, check)).toBeLessThanOrEqual(rank(fewer, baseline, check));
    }),
  );
});

test('replayed with its own policy, a rollout gets the verdicts that it got', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(checks('Hold', 'Fail', 'Pass'), fc.array(anything, { minLength: 1, maxLength: 5 })), {
        minLength: 1,
        maxLength: 3,
      }),
      step,
      (courses, at) => {
        const named = courses.map(([check, outcomes], index) => ({
          check: { ...check, name: `check-${index}` },
          outcomes,
        }));
        const verification = aVerification({ checks: named.map(({ check }) => check), soak: 5 * INTERVAL });
        const measurements = named.flatMap(({ check, outcomes }) => judged(check, outcomes, { step: at }));
        const rollout = aRollout({ policy: { traffic: aTraffic(), verification } });
        const { steps } = replay({ rollout, measurements, verification });
        expect(steps).toHaveLength(1);
        for (const { decided, wouldDecide } of steps) expect(wouldDecide).toEqual(decided);
      },
    ),
  );
});
