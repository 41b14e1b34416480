// How measurements add up to the state of a check, and when the next one is due.
import { describe, expect, test } from 'vitest';
import type { Check, CheckedStep } from '../../../src/model/check.ts';
import { instant } from '../../../src/model/instant.ts';
import type { CheckRun, Judgement, Measurement } from '../../../src/model/measurement.ts';
import { checkRun } from '../../../src/verification/check-run.ts';
import { aMeasurement, data, judgement } from '../../support/judge/measurements.ts';
import { aCheck } from '../../support/rollouts.ts';

/** One measurement every ten seconds, from 10 s on. */
function course(states: readonly Judgement['state'][]): Measurement[] {
  return states.map((state, index) =>
    aMeasurement({ at: 10_000 * (index + 1), judgement: judgement(state) }),
  );
}

function run(
  states: readonly Judgement['state'][],
  check: Partial<Check> = {},
  more: { readonly step?: CheckedStep; readonly until?: number; readonly now?: number } = {},
): CheckRun {
  return checkRun({
    check: aCheck(check),
    step: more.step ?? 'Verify',
    measurements: course(states),
    windowFrom: instant(0),
    ...(more.until === undefined ? {} : { until: instant(more.until) }),
    now: instant(more.now ?? 10_000 * states.length),
  });
}

describe('the state of a check', () => {
  test.each<[readonly Judgement['state'][], Partial<Check>, CheckRun['state']]>([
    [['Passed', 'Passed'], {}, 'Running'],
    [['Passed', 'Passed', 'Passed'], {}, 'Passed'],
    [['Passed', 'Failed'], {}, 'Failed'],
    [['Failed', 'Passed', 'Passed'], { failureLimit: 1 }, 'Passed'],
    [['Failed', 'Passed', 'Failed'], { failureLimit: 1 }, 'Failed'],
    [['Failed', 'Failed', 'Failed'], { failureLimit: 3 }, 'Inconclusive'],
    [['Inconclusive'], {}, 'Inconclusive'],
    [['Inconclusive', 'Passed', 'Passed'], { inconclusiveLimit: 1 }, 'Passed'],
    [['Error', 'Error'], { consecutiveErrorLimit: 2 }, 'Running'],
    [['Error', 'Error', 'Error'], { consecutiveErrorLimit: 2 }, 'Error'],
    [['Error', 'Passed', 'Error', 'Error'], { consecutiveErrorLimit: 2 }, 'Running'],
    [['Error', 'Error', 'Error', 'Passed'], { consecutiveErrorLimit: 2 }, 'Running'],
    [['Error', 'Error', 'Failed'], { consecutiveErrorLimit: 1 }, 'Failed'],
    [['NoData'], {}, 'NoData'],
    [['NoData', 'NoData', 'NoData', 'NoData'], {}, 'NoData'],
    [['NoData', 'Passed'], {}, 'Running'],
    [['NoData', 'Passed', 'Passed', 'Passed'], {}, 'Passed'],
    [['NoData'], { noData: 'Fail' }, 'Failed'],
    [['NoData', 'Passed', 'Passed'], { noData: 'Fail', failureLimit: 1 }, 'Passed'],
    [['NoData', 'NoData', 'NoData'], { noData: 'Pass' }, 'Passed'],
  ])('%j with %j is %s', (states, check, expected) => {
    expect(run(states, check).state).toBe(expected);
  });

  test('measurements are told apart in the counts', () => {
    const states = ['Error', 'Passed', 'NoData', 'Inconclusive', 'Error', 'Error'] as const;
    const counted = run(states, { inconclusiveLimit: 2, count: 9 });
    expect(counted).toMatchObject({
      passed: 1,
      failed: 0,
      inconclusive: 1,
      noData: 1,
      errors: 3,
      consecutiveErrors: 2,
    });
  });

  test('what comes after the end does not count', () => {
    const ended = run(['Passed', 'Failed', 'Failed']);
    expect(ended).toMatchObject({ state: 'Failed', failed: 1 });
    expect(ended.last?.at).toBe(20_000);
    expect(ended.nextAt).toBeUndefined();
  });

  test('a check that is not asked at the step is skipped', () => {
    expect(run(['Failed'], { at: ['Soak'] })).toMatchObject({ state: 'Skipped', failed: 0 });
  });

  test('somebody who has not decided is asked again, and that neither counts nor fails', () => {
    const undecided = aMeasurement({
      at: 1_000,
      outcome: data({ kind: 'answer', answer: 'undecided', detail: '' }),
      judgement: judgement('Inconclusive'),
    });
    const webhook = aCheck({
      metric: { kind: 'webhook', url: 'http://x', timeout: 1 },
      condition: {},
      count: 1,
    });
    const asked = checkRun({
      check: webhook,
      step: 'Verify',
      measurements: [undecided],
      windowFrom: instant(0),
      now: instant(2_000),
    });
    expect(asked).toMatchObject({ state: 'Running', inconclusive: 0, nextAt: 11_000 });
  });

  test('the order in which measurements are given does not matter', () => {
    const measurements = course(['Failed', 'Passed', 'Passed']);
    const input = { check: aCheck(), step: 'Verify', windowFrom: instant(0), now: instant(30_000) } as const;
    expect(checkRun({ ...input, measurements: measurements.toReversed() })).toEqual(
      checkRun({ ...input, measurements }),
    );
  });
});

describe('when a measurement is due', () => {
  test('while a proxy has not got the step, nothing is', () => {
    const waiting = checkRun({ check: aCheck(), step: 'Verify', measurements: [], now: instant(99_000) });
    expect(waiting).toMatchObject({ state: 'Pending', because: 'not every proxy has this step yet' });
    expect(waiting.nextAt).toBeUndefined();
  });

  test('the first, after the delay and one whole interval', () => {
    expect(run([], { initialDelay: 5_000 }, { now: 14_999 })).toMatchObject({
      state: 'Pending',
      nextAt: 15_000,
    });
    expect(run([], { initialDelay: 5_000 }, { now: 15_000 })).toMatchObject({
      state: 'Running',
      nextAt: 15_000,
    });
  });

  test('a probe or a webhook looks back over nothing, so it is asked at once', () => {
    const probe = { kind: 'grpc', service: '', timeout: 1_000 } as const;
    expect(run([], { metric: probe, initialDelay: 5_000 }).nextAt).toBe(5_000);
  });

  test('the next, an interval after the last ended; after an error at most ten seconds', () => {
    const slow = { interval: 60_000 };
    expect(run(['Passed'], slow).nextAt).toBe(70_000);
    expect(run(['NoData'], slow).nextAt).toBe(70_000);
    expect(run(['Error'], slow).nextAt).toBe(20_000);
    expect(run(['Error'], { interval: 2_000 }).nextAt).toBe(12_000);
  });

  test('an error beyond the limit is tried on: Prometheus may come back', () => {
    expect(run(['Error', 'Error'], { consecutiveErrorLimit: 1 })).toMatchObject({
      state: 'Error',
      nextAt: 30_000,
    });
  });
});

describe('a step that lasts', () => {
  test('measures on after the check has passed, and fails where the candidate turns bad', () => {
    const passed = run(['Passed', 'Passed', 'Passed'], {}, { step: 'Shift' });
    expect(passed).toMatchObject({ state: 'Passed', nextAt: 40_000 });
    expect(run(['Passed', 'Passed', 'Passed', 'Failed'], {}, { step: 'Shift' }).state).toBe('Failed');
    expect(run(['Passed', 'Passed', 'Passed', 'Error'], {}, { step: 'Shift' }).state).toBe('Passed');
  });

  test('asks nobody again who has approved', () => {
    const webhook = { kind: 'webhook', url: 'http://127.0.0.1:1/', timeout: 1_000 } as const;
    const approved = run(['Passed'], { metric: webhook, count: 1 }, { step: 'Shift' });
    expect(approved.state).toBe('Passed');
    expect(approved).not.toHaveProperty('nextAt');
  });
});

describe('a soak', () => {
  const soak = (states: readonly Judgement['state'][], now: number, check: Partial<Check> = {}) =>
    run(states, check, { step: 'Soak', until: 60_000, now });

  test('goes on beyond the count until it ends, and then passes', () => {
    const five = ['Passed', 'Passed', 'Passed', 'Passed', 'Passed'] as const;
    expect(soak(five, 59_999).state).toBe('Running');
    expect(soak(five, 60_000).state).toBe('Passed');
  });

  test('ends at once when it failed', () => {
    expect(soak(['Passed', 'Failed'], 20_000)).toMatchObject({ state: 'Failed' });
    expect(soak(['Passed', 'Failed'], 20_000).nextAt).toBeUndefined();
  });

  test('does not pass on what was measured long before its end', () => {
    const stale = soak(['Passed', 'Passed'], 99_000);
    expect(stale).toMatchObject({ state: 'Running', nextAt: 30_000 });
  });

  test('whose data went away is held until data comes back', () => {
    const five = ['Passed', 'Passed', 'Passed', 'Passed'] as const;
    expect(soak([...five, 'NoData', 'NoData'], 90_000)).toMatchObject({ state: 'NoData', nextAt: 70_000 });
    expect(soak([...five, 'NoData', 'NoData', 'Passed'], 90_000).state).toBe('Passed');
    expect(soak([...five, 'Error', 'Error'], 90_000, { consecutiveErrorLimit: 1 }).state).toBe('Error');
  });

  test('goes on measuring where it is inconclusive: a fault that follows must still be seen', () => {
    expect(soak(['Inconclusive'], 20_000)).toMatchObject({ state: 'Inconclusive', nextAt: 20_000 });
    expect(soak(['Inconclusive', 'Failed'], 20_000).state).toBe('Failed');
    expect(soak(['Inconclusive', 'Passed', 'Passed', 'Passed', 'Passed'], 60_000).state).toBe('Inconclusive');
  });
});
