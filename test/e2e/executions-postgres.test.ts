// The example manager on a real Postgres: the same crowd as on SQLite, and the same checker.
import { afterAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { full } from '../support/seed.ts';
import { CROWD_RESULT, runCrowd } from '../support/workflow/crowd.ts';
import { ExampleSite } from '../support/workflow/example-site.ts';
import { checkHistory, NO_FINDINGS } from '../support/workflow/history-checker.ts';

const COUNT = full() ? 1_000 : 100;

let server: PostgresServer | undefined;
afterAll(() => server?.stop());

test(`${COUNT} executions all end once, on their version and with their tenant's delegates`, async () => {
  server = await startPostgres();
  await using site = await ExampleSite.open(await server.database());
  const recorded = await runCrowd(site, COUNT);
  expect(recorded.executions).toHaveLength(COUNT);
  expect(checkHistory(recorded)).toEqual(NO_FINDINGS);
  const ends = recorded.executions.map(({ state, result, error }) => ({ state, result, error }));
  expect(ends).toEqual(ends.map(() => ({ state: 'Succeeded', result: CROWD_RESULT, error: '' })));
});
