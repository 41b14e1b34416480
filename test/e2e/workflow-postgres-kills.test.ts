/**
 * Managers that share a Postgres are killed with -9 at any moment, their connections are broken off, and the server itself
 * is restarted and killed: no step is applied twice, nothing that was acknowledged is lost, every execution ends.
 */
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openPostgresWorkflowStore } from '../../src/adapters/workflow-postgres/store.ts';
import { eventually } from '../support/eventually.ts';
import { administer, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { full, seed } from '../support/seed.ts';
import { counted } from '../support/workflow/counting.ts';
import { checkHistory, NO_FINDINGS } from '../support/workflow/history-checker.ts';
import { everything, isOver, Place } from '../support/workflow/manager-place.ts';

const BLOWS = full() ? 120 : 12;
const PLACES = [0, 1, 2];

type Blow =
  | { readonly kind: 'kill a manager'; readonly victim: number }
  /** Every connection of the store, in whatever it is at. */
  | { readonly kind: 'terminate backends' }
  | { readonly kind: 'restart the server' }
  | { readonly kind: 'kill the server' };

interface Moment {
  readonly blow: Blow;
  /** After so many things more have been acknowledged, and so many milliseconds. */
  readonly done: number;
  readonly milliseconds: number;
}

function moments(): readonly Moment[] {
  const blow = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('kill a manager' as const),
        victim: fc.nat(PLACES.length - 1),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'terminate backends' } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart the server' } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: 'kill the server' } as const) },
  );
  const moment = fc.record({ blow, done: fc.integer({ min: 1, max: 12 }), milliseconds: fc.nat(20) });
  const some = fc.sample(moment, { seed: seed(), numRuns: BLOWS - 4 });
  // Each kind at least once, whatever the seed.
  const each: readonly Blow[] = [
    { kind: 'kill a manager', victim: 0 },
    { kind: 'terminate backends' },
    { kind: 'restart the server' },
    { kind: 'kill the server' },
  ];
  return [...each.map((one) => ({ blow: one, done: 5, milliseconds: 3 })), ...some];
}

interface Scene {
  readonly server: PostgresServer;
  readonly database: string;
  readonly places: readonly Place[];
}

async function strike({ server, database, places }: Scene, blow: Blow): Promise<void> {
  switch (blow.kind) {
    case 'kill a manager':
      return places[blow.victim]?.replace();
    case 'terminate backends':
      return administer(
        database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'switchyard%'",
      );
    case 'restart the server':
      return server.restart('fast');
    case 'kill the server':
      return server.restart('kill');
  }
}

test(
  `${BLOWS} blows to three managers, their connections and their server: nothing is lost, nothing is applied twice`,
  async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const database = await server.database();
    const places = PLACES.map((index) => new Place(database, index));
    onTestFinished(async () => {
      for (const place of places) await place.kill().catch(() => undefined);
    });
    const acknowledged = (): number => places.reduce((sum, { told }) => sum + told.length, 0);
    for (const { blow, done, milliseconds } of moments()) {
      const before = acknowledged();
      await eventually(
        () => {
          for (const place of places) place.verifyAlive();
          return acknowledged() >= before + done;
        },
        { within: 60_000, what: `work before: ${blow.kind}` },
      );
      await wait(milliseconds);
      await strike({ server, database, places }, blow);
    }
    for (const place of places) await place.replace({ isLast: true });
    const store = await openPostgresWorkflowStore({ connectionString: database });
    onTestFinished(() => store.close());
    await eventually(
      async () => {
        for (const place of places) place.verifyAlive();
        return places.every(({ isDone }) => isDone) && isOver(store);
      },
      { within: 120_000, every: 100, what: 'the end of all executions' },
    );
    const recorded = await everything(store, places);
    expect(recorded.executions).toHaveLength(places.reduce((sum, { begun }) => sum + begun, 0));
    expect(checkHistory(recorded)).toEqual(NO_FINDINGS);
    const stepped = recorded.history.filter(({ kind }) => kind === 'Stepped');
    console.log(
      `${BLOWS} blows: ${recorded.executions.length} executions ended, ${stepped.length} steps applied`,
    );
    for (const { data, result, state, revision, id } of recorded.executions) {
      const { length } = data as unknown as { length: number };
      const commands = stepped.filter(({ execution, step }) => execution === id && step === 'Approve');
      expect({ state, result, revision: revision - commands.length }).toEqual({
        state: 'Succeeded',
        result: counted(length).result,
        revision: counted(length).steps,
      });
    }
  },
  BLOWS * 30_000 + 240_000,
);
