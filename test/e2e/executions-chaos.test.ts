/**
 * Executions that end on the version on which they began: a whole system over SQLite and over Postgres, with executions
 * started all the time through rollouts and rollbacks, while managers, delegates, watchers and the controller are killed
 * with -9 and the networks between delegates and gateway are cut and healed. The store's history, the boxes' own diary
 * and what customers were told are judged. `npm test` runs a short story over one of the two, chosen by the seed; with
 * SWITCHYARD_FULL=1 the whole one runs over both.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { envoyVersion } from '../support/envoy.ts';
import { type RunOptions, type RunResult, run } from '../support/executions/run.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { full, sample, seed } from '../support/seed.ts';

const WHOLE: Omit<RunOptions, 'seed' | 'store'> = {
  executions: 2_000,
  rate: 5,
  first: 'v1',
  chapters: [
    { kind: 'Rollout', version: 'v2' },
    { kind: 'Rollout', version: 'v3' },
    { kind: 'Rollback', to: 'v2' },
    { kind: 'Rollout', version: 'v4' },
    { kind: 'Rollout', version: 'v5' },
    { kind: 'Rollback', to: 'v4' },
    { kind: 'Rollout', version: 'v6' },
    { kind: 'Rollout', version: 'v7' },
  ],
  retired: ['v1', 'v2', 'v3', 'v4', 'v5'],
};

const SAMPLE: Omit<RunOptions, 'seed' | 'store'> = {
  executions: 150,
  rate: 2,
  first: 'v1',
  chapters: [
    { kind: 'Rollout', version: 'v2' },
    { kind: 'Rollout', version: 'v3' },
    { kind: 'Rollback', to: 'v2' },
  ],
  retired: ['v1'],
};

const STORY = full() ? WHOLE : SAMPLE;
const TIME_LIMIT_MS = full() ? 3_600_000 : 600_000;

let postgres: PostgresServer | undefined;
afterAll(() => postgres?.stop());

/** Where a system in this folder keeps its executions. */
const ENGINES: Readonly<Record<'SQLite' | 'Postgres', () => Promise<RunOptions['store']>>> = {
  SQLite: async () => (folder) => `sqlite:${folder}/executions.db`,
  Postgres: async () => {
    postgres = await startPostgres();
    const url = await postgres.database();
    return () => url;
  },
};

describe('executions through rollouts, rollbacks and deaths', () => {
  it.each(sample(['SQLite', 'Postgres'] as const, 1))(
    'end on their version, each step applied once, over %s',
    async (engine) => {
      envoyVersion();
      const result = await run({ ...STORY, seed: seed(), store: await ENGINES[engine]() });
      tellFigures(result);
      expect({ ...result.judgement.wrong, faults: result.faults }).toEqual(NOTHING_WRONG);
      expect(result.judgement.started).toBeGreaterThanOrEqual(STORY.executions);
    },
    TIME_LIMIT_MS,
  );
});

const NOTHING_WRONG = {
  lost: [],
  appliedTwice: [],
  wrongVersion: [],
  wrongDelegate: [],
  gaps: [],
  unexpected: [],
  retirements: [],
  parity: [],
  faults: [],
};

/** For docs/reliability.md, and for whoever looks for the cause of a fault. */
function tellFigures(result: RunResult): void {
  const figures = JSON.stringify({ seed: seed(), ...result }, (name, value: unknown) =>
    name === 'wrong' || name === 'faults' ? undefined : value,
  );
  console.log(figures);
}
