// Not part of the test run: one test of each outcome, for count-reporter.test.ts to count.
import { expect, test } from 'vitest';
import { notRun } from '../../../support/not-run.ts';

test('passes', () => {
  expect(1).toBe(1);
});

test('fails', () => {
  expect(1).toBe(2);
});

test('cannot be had', () => {
  notRun('the real thing', 'no such program; run: bring-it');
});

test('gives no reason', (context) => {
  context.skip();
  expect(1).toBe(2);
});
