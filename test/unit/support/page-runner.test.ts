// What a page promises is compared line by line: in order, with spaces as they come, and `…` for anything.
import { expect, test } from 'vitest';
import { missingLines } from '../../support/page-runner.ts';

const OUTPUT =
  'SERVICE  VERSION  STATE\nmanager  v1       Primary\nmanager  v2       Standby (InstancesReady)\n';

test.each([
  [['manager v1 Primary', 'manager v2 …'], []],
  [['manager v2 …', 'manager v1 Primary'], ['manager v1 Primary']],
  [['manager v1'], ['manager v1']],
  [['… v2 Standby (…)'], []],
  [['manager v3 …'], ['manager v3 …']],
  [['manager v1 Primary', 'manager v1 Primary'], ['manager v1 Primary']],
])('of the lines %j there are missing %j', (promised, missing) => {
  expect(missingLines(promised, OUTPUT)).toEqual(missing);
});
