// The history checker, which knows nothing of how executions are run, finds nothing wrong with what a crowd of them left.
import { expect, test } from 'vitest';
import { full } from '../../support/seed.ts';
import { CROWD_RESULT, runCrowd } from '../../support/workflow/crowd.ts';
import { ExampleSite } from '../../support/workflow/example-site.ts';
import { checkHistory, NO_FINDINGS } from '../../support/workflow/history-checker.ts';

const COUNT = full() ? 1_000 : 150;

test(`${COUNT} executions all end once, on their version and with their tenant's delegates`, {
  timeout: 240_000,
}, async () => {
  await using site = await ExampleSite.open();
  const recorded = await runCrowd(site, COUNT);
  expect(recorded.executions).toHaveLength(COUNT);
  expect(checkHistory(recorded)).toEqual(NO_FINDINGS);
  const ends = recorded.executions.map(({ state, result, error }) => ({ state, result, error }));
  expect(ends).toEqual(ends.map(() => ({ state: 'Succeeded', result: CROWD_RESULT, error: '' })));
});
