/** How probes become states. */
import { expect, test } from 'vitest';
import type { ProbeResult } from '../../../../src/adapters/processes/probe.ts';
import { afterProbe, type ProbedState } from '../../../../src/adapters/processes/readiness.ts';

const PASSED: ProbeResult = { kind: 'Passed', because: 'answered 200' };
const FAILED: ProbeResult = { kind: 'Failed', because: 'answered 503' };

function statesOf(initial: ProbedState['kind'], results: readonly ProbeResult[], threshold = 2): string[] {
  let state: ProbedState = { kind: initial, failuresInRow: 0, because: 'begin' };
  return results.map((result) => {
    state = afterProbe(state, result, threshold);
    return state.kind;
  });
}

test('an instance that starts stays Starting until its first success, however often it fails', () => {
  expect(statesOf('Starting', [FAILED, FAILED, FAILED, PASSED])).toEqual([
    'Starting',
    'Starting',
    'Starting',
    'Ready',
  ]);
});

test('a ready instance becomes unready after that many failures in a row, and ready with one success', () => {
  expect(statesOf('Ready', [FAILED, FAILED, FAILED, PASSED])).toEqual([
    'Ready',
    'Unready',
    'Unready',
    'Ready',
  ]);
});

test('failures that are not in a row leave it ready', () => {
  expect(statesOf('Ready', [FAILED, PASSED, FAILED, PASSED, FAILED])).toEqual(Array(5).fill('Ready'));
});

test('with a threshold of one the first failure counts', () => {
  expect(statesOf('Ready', [FAILED], 1)).toEqual(['Unready']);
});

test('the reason names the failure, and a ready one keeps its own', () => {
  const ready: ProbedState = { kind: 'Ready', failuresInRow: 0, because: 'answered 200' };
  const once = afterProbe(ready, FAILED, 2);
  expect(once.because).toBe('answered 200');
  expect(afterProbe(once, FAILED, 2).because).toBe('2 probes in a row failed: answered 503');
});
