/** Neighbouring releases have one workflow file open at the same time: the newer one only adds to it. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Migration } from '../../../../src/adapters/sqlite/migrations.ts';
import { WORKFLOW_MIGRATIONS } from '../../../../src/adapters/workflow-sqlite/migrations.ts';
import { openWorkflowSqlite } from '../../../../src/adapters/workflow-sqlite/store.ts';
import type { WorkflowStore } from '../../../../src/ports/workflow-store.ts';
import { temporaryFolder } from '../../../support/store-folder.ts';
import { workOnEvents, workOnTasks } from '../../../support/workflow/build-and-end.ts';
import { newExecution } from '../../../support/workflow/builders.ts';

const LAST = WORKFLOW_MIGRATIONS.length;

/** What a next release might add: a table, and a column that it fills. */
const NEXT: Migration = {
  number: LAST + 1,
  minReader: 1,
  statements: [
    'CREATE TABLE forecast (execution INTEGER PRIMARY KEY, ends_at INTEGER NOT NULL) STRICT',
    "ALTER TABLE execution ADD COLUMN labels TEXT NOT NULL DEFAULT '{}'",
    'ALTER TABLE event ADD COLUMN trace TEXT',
    'CREATE INDEX event_by_trace ON event (trace) WHERE trace IS NOT NULL',
  ],
};
/** A release later, which takes away what only this one needed. */
const CONTRACTED: Migration = {
  number: LAST + 2,
  minReader: LAST + 1,
  statements: ['DROP INDEX execution_by_tenant'],
};

function open(file: string, ...added: readonly Migration[]): Promise<WorkflowStore> {
  const opening = openWorkflowSqlite({ file, migrations: [...WORKFLOW_MIGRATIONS, ...added] });
  onTestFinished(async () => (await opening.catch(() => undefined))?.close());
  return opening;
}

function newFile(): string {
  return join(temporaryFolder(), 'workflow.db');
}

describe('a workflow file and two releases', () => {
  test('the released steps are numbered from 1 without gaps', () => {
    expect(WORKFLOW_MIGRATIONS.map(({ number }) => number)).toEqual(
      WORKFLOW_MIGRATIONS.map((_, index) => index + 1),
    );
    for (const { number, minReader } of WORKFLOW_MIGRATIONS) expect(minReader).toBeLessThanOrEqual(number);
  });

  test('this one works on while the next one adds to the file, and each goes on with what the other began', async () => {
    const file = newFile();
    const older = await open(file);
    await older.start(newExecution({ name: 'begun before' }));
    const newer = await open(file, NEXT);
    await newer.start(newExecution({ name: 'begun by the newer' }));
    await older.start(newExecution({ name: 'begun by the older' }));
    expect([await workOnEvents(older), await workOnTasks(newer), await workOnEvents(older)]).toEqual([
      3, 3, 3,
    ]);
    await older.start(newExecution({ name: 'at the end' }));
    expect([await workOnEvents(newer), await workOnTasks(older), await workOnEvents(newer)]).toEqual([
      1, 1, 1,
    ]);
    for (const store of [older, newer]) {
      expect((await store.executions({ state: 'Succeeded', limit: 10 })).map(({ result }) => result)).toEqual(
        ['at the end', 'begun by the older', 'begun by the newer', 'begun before'],
      );
    }
  });

  test('this one opens a file that the next one has added to, and does not undo it', async () => {
    const file = newFile();
    await (await open(file, NEXT)).close();
    const older = await open(file);
    await older.start(newExecution());
    await older.close();
    const newer = await open(file, NEXT);
    expect(await newer.executions({ limit: 2 })).toHaveLength(1);
    const database = new DatabaseSync(file);
    onTestFinished(() => database.close());
    expect(database.prepare('SELECT labels FROM execution').all()).toEqual([{ labels: '{}' }]);
    expect(database.prepare('SELECT form, min_reader FROM migration ORDER BY form').all().at(-1)).toEqual({
      form: LAST + 1,
      min_reader: 1,
    });
  });

  test('two processes of the next release that come at once add once', async () => {
    const file = newFile();
    await (await open(file)).close();
    const stores = await Promise.all([open(file, NEXT), open(file, NEXT), open(file, NEXT)]);
    for (const store of stores) await store.start(newExecution());
    expect(await stores[0]?.executions({ limit: 10 })).toHaveLength(3);
  });

  test('a release that can no longer use the file is told so, at its next call and when it opens it', async () => {
    const file = newFile();
    const older = await open(file);
    const neighbour = await open(file, NEXT);
    await open(file, NEXT, CONTRACTED);
    await expect(older.start(newExecution())).rejects.toMatchObject({ reason: 'TooNew' });
    await expect(older.executions({ limit: 1 })).rejects.toMatchObject({ reason: 'TooNew' });
    await expect(open(file)).rejects.toMatchObject({
      reason: 'TooNew',
      message: expect.stringContaining(`form ${LAST + 1}`),
    });
    await neighbour.start(newExecution());
  });

  test('a step that fails leaves the file in the form before', async () => {
    const file = newFile();
    const older = await open(file);
    const failing = { ...NEXT, statements: [...NEXT.statements, 'INSERT INTO nowhere VALUES (1)'] };
    await expect(open(file, failing)).rejects.toThrow(/nowhere/);
    await older.start(newExecution());
    await open(file, NEXT);
  });
});
