/**
 * kill -9 of managers that share a workflow file, at any moment: no step is applied twice, nothing that was acknowledged
 * is lost, every execution ends on its version, and the file is whole.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openWorkflowSqlite } from '../../../../src/adapters/workflow-sqlite/store.ts';
import { eventually } from '../../../support/eventually.ts';
import { full, seed } from '../../../support/seed.ts';
import { temporaryFolder } from '../../../support/store-folder.ts';
import { counted } from '../../../support/workflow/counting.ts';
import { checkHistory, NO_FINDINGS } from '../../../support/workflow/history-checker.ts';
import { everything, isOver, Place } from '../../../support/workflow/manager-place.ts';

const KILLS = full() ? 100 : 8;
const PLACES = [0, 1, 2];

/** Whom to kill: after it has been told of so many things more, and so many milliseconds; or while it starts. */
function moments(): readonly {
  readonly victim: number;
  readonly done: number;
  readonly milliseconds: number;
}[] {
  const victim = fc.nat(PLACES.length - 1);
  const moment = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ victim, done: fc.integer({ min: 1, max: 12 }), milliseconds: fc.nat(12) }),
    },
    { weight: 1, arbitrary: fc.record({ victim, done: fc.constant(0), milliseconds: fc.nat(500) }) },
  );
  return fc.sample(moment, { seed: seed(), numRuns: KILLS });
}

test(
  `${KILLS} kills of three managers on one file: nothing is lost, nothing is applied twice`,
  async () => {
    const file = join(temporaryFolder(), 'workflow.db');
    const places = PLACES.map((index) => new Place(file, index));
    onTestFinished(async () => {
      for (const place of places) await place.kill();
    });
    for (const { victim, done, milliseconds } of moments()) {
      const place = places[victim] as Place;
      const before = place.told.length;
      const isFarEnough = (): boolean => place.told.length >= before + done;
      await eventually(isFarEnough, { within: 30_000, what: `${place.name} at work` });
      await wait(milliseconds);
      await place.replace();
    }
    for (const place of places) await place.replace({ isLast: true });
    await eventually(() => existsSync(file));
    const store = await openWorkflowSqlite({ file });
    onTestFinished(() => store.close());
    await eventually(
      async () => {
        for (const place of places) place.verifyAlive();
        return places.every(({ isDone }) => isDone) && isOver(store);
      },
      { within: 60_000, every: 100, what: 'the end of all executions' },
    );
    const recorded = await everything(store, places);
    expect(recorded.executions).toHaveLength(places.reduce((sum, { begun }) => sum + begun, 0));
    expect(checkHistory(recorded)).toEqual(NO_FINDINGS);
    const lines = Map.groupBy(recorded.history, ({ kind }) => kind);
    const ended = (lines.get('TaskFinished')?.length ?? 0) + (lines.get('TaskRetried')?.length ?? 0);
    console.log(
      `${KILLS} kills: ${recorded.executions.length} executions ended, ${lines.get('Stepped')?.length} steps applied, ` +
        `${(lines.get('TaskLeased')?.length ?? 0) - ended} tasks were leased anew`,
    );
    for (const { data, result, state, revision, id } of recorded.executions) {
      const { length } = data as unknown as { length: number };
      const commands = recorded.history.filter(
        ({ execution, kind, step }) => execution === id && kind === 'Stepped' && step === 'Approve',
      );
      expect({ state, result, revision: revision - commands.length }).toEqual({
        state: 'Succeeded',
        result: counted(length).result,
        revision: counted(length).steps,
      });
    }
    const database = new DatabaseSync(file);
    onTestFinished(() => database.close());
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  },
  KILLS * 10_000 + 120_000,
);
