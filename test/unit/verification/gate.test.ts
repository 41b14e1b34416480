// What the checks of a step add up to.
import { describe, expect, test } from 'vitest';
import type { Check, CheckState } from '../../../src/model/check.ts';
import type { CheckRun } from '../../../src/model/measurement.ts';
import { gateVerdict } from '../../../src/verification/gate.ts';
import { aCheck } from '../../support/rollouts.ts';

function aRun(check: string, state: CheckState): CheckRun {
  const counts = { passed: 0, failed: 0, inconclusive: 0, noData: 0, errors: 0, consecutiveErrors: 0 };
  return { check, state, ...counts, because: `it is ${state}` };
}

/** The verdict over checks `a`, `b`, ... in these states. */
function verdict(
  states: readonly (CheckState | [CheckState, Partial<Check>])[],
  scores: { readonly passScore?: number; readonly marginalScore?: number } = {},
) {
  const given = states.map((each, index) => {
    const [state, replaced] = typeof each === 'string' ? [each, {}] : each;
    const name = 'abcdef'[index] ?? '';
    return { check: aCheck({ name, ...replaced }), run: aRun(name, state) };
  });
  return gateVerdict({
    checks: given.map(({ check }) => check),
    runs: given.map(({ run }) => run),
    passScore: scores.passScore ?? 100,
    marginalScore: scores.marginalScore ?? 100,
  });
}

describe('worst first', () => {
  test.each<[readonly CheckState[], ReturnType<typeof verdict>['state']]>([
    [['Passed', 'Passed'], 'Passed'],
    [['Passed', 'Running'], 'Running'],
    [['Passed', 'Pending'], 'Running'],
    [['Running', 'NoData'], 'NoData'],
    [['NoData', 'Inconclusive'], 'Inconclusive'],
    [['Inconclusive', 'Error'], 'Error'],
    [['Error', 'Failed'], 'Failed'],
    [['Running', 'Failed'], 'Failed'],
    [['Passed', 'Skipped'], 'Passed'],
    [['Skipped', 'Skipped'], 'Passed'],
  ])('%j is %s, in any order', (states, expected) => {
    expect(verdict(states).state).toBe(expected);
    expect(verdict(states.toReversed()).state).toBe(expected);
  });

  test('a check that has no run yet holds the gate', () => {
    const held = gateVerdict({ checks: [aCheck()], runs: [], passScore: 100, marginalScore: 100 });
    expect(held).toEqual({ state: 'Running', because: 'errors: not measured yet', deciding: ['errors'] });
  });

  test('the checks that decided are named, with their words', () => {
    expect(verdict(['Passed', 'Failed', 'Failed'])).toEqual({
      state: 'Failed',
      because: 'b: it is Failed; c: it is Failed',
      deciding: ['b', 'c'],
      score: 33.33,
    });
  });
});

describe('the score', () => {
  const minor = { critical: false };
  test('decides between checks that are not critical, by weight', () => {
    const states: Parameters<typeof verdict>[0] = [
      ['Passed', { ...minor, weight: 3 }],
      ['Failed', { ...minor, weight: 1 }],
    ];
    expect(verdict(states, { passScore: 75, marginalScore: 50 })).toMatchObject({
      state: 'Passed',
      score: 75,
    });
    expect(verdict(states, { passScore: 90, marginalScore: 75 }).state).toBe('Inconclusive');
    expect(verdict(states, { passScore: 90, marginalScore: 76 }).state).toBe('Failed');
  });

  test('is not there before a check has ended', () => {
    expect(verdict(['Running', 'NoData']).score).toBeUndefined();
    expect(verdict(['Running', 'Passed']).score).toBe(100);
  });

  test('of 0 is no success, even where it would be enough', () => {
    expect(verdict([['Failed', minor]], { passScore: 0, marginalScore: 0 }).state).toBe('Inconclusive');
  });
});

describe('checks that decide nothing', () => {
  test('a dry run is not heard', () => {
    expect(verdict([['Failed', { dryRun: true }], 'Passed'])).toMatchObject({
      state: 'Passed',
      deciding: ['b'],
    });
  });

  test('a step without a deciding check is passed, and says so', () => {
    expect(verdict([['Failed', { dryRun: true }]])).toEqual({
      state: 'Passed',
      because: 'no check guards this step',
      deciding: [],
    });
  });
});
