// The states that a check goes through, in random courses of measurements, against the table of docs/states.md.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHECKED_STEPS, type Check, type CheckState } from '../../../src/model/check.ts';
import { instant } from '../../../src/model/instant.ts';
import type { Judgement } from '../../../src/model/measurement.ts';
import { checkRun } from '../../../src/verification/check-run.ts';
import { aMeasurement, judgement } from '../../support/judge/measurements.ts';
import { aCheck } from '../../support/rollouts.ts';
import { seed } from '../../support/seed.ts';

const page = readFileSync(new URL('../../../docs/states.md', import.meta.url), 'utf8');
const [, rest = ''] = page.split('| check from | to |\n|---|---|\n');
const documented = new Set(
  [...(rest.split('\n\n')[0] ?? '').matchAll(/^\| (\w+) \| ([\w, ]+) \|$/gm)].flatMap(([, from, to = '']) =>
    to.split(', ').map((each) => `${from} -> ${each}`),
  ),
);

const INTERVAL = 10_000;
const SOAK = 5 * INTERVAL;

/** A check, a step, and what each of its measurements said. */
const course = fc.record({
  check: fc.record({
    count: fc.integer({ min: 1, max: 3 }),
    failureLimit: fc.nat({ max: 1 }),
    inconclusiveLimit: fc.nat({ max: 1 }),
    consecutiveErrorLimit: fc.nat({ max: 1 }),
    noData: fc.constantFrom<Check['noData']>('Hold', 'Fail', 'Pass'),
  }),
  step: fc.constantFrom(...CHECKED_STEPS),
  said: fc.array(fc.constantFrom<Judgement['state']>('Passed', 'Failed', 'Error', 'Inconclusive', 'NoData'), {
    maxLength: 6,
  }),
});

/** The states one after the other: before anything is due, when the first is due, and after each measurement. */
function statesOf({
  check,
  step,
  said,
}: typeof course extends fc.Arbitrary<infer T> ? T : never): CheckState[] {
  const measurements = said.map((state, index) =>
    aMeasurement({ at: (index + 1) * INTERVAL, judgement: judgement(state) }),
  );
  const at = (known: number, now: number) =>
    checkRun({
      check: aCheck({ ...check, interval: INTERVAL }),
      step,
      measurements: measurements.slice(0, known),
      windowFrom: instant(0),
      ...(step === 'Soak' ? { until: instant(SOAK) } : {}),
      now: instant(now),
    }).state;
  return [
    at(0, 0),
    at(0, INTERVAL),
    ...measurements.map((_, index) => at(index + 1, (index + 1) * INTERVAL)),
  ];
}

test('docs/states.md draws exactly the transitions that checks make', () => {
  expect(documented.size).toBeGreaterThan(10);
  const seen = new Set<string>();
  for (const each of fc.sample(course, { numRuns: 5_000, seed: seed() })) {
    const states = statesOf(each);
    // What may follow at once may also follow the wait for the first measurement.
    for (const [index, state] of states.entries()) {
      const before = states[index - 1];
      if (before !== undefined && before !== state) seen.add(`${before} -> ${state}`);
    }
    const [first, , measured] = states;
    if (first !== undefined && measured !== undefined) seen.add(`${first} -> ${measured}`);
  }
  expect([...seen].toSorted()).toEqual([...documented].toSorted());
});
