/** Which files a workflow store takes for its own, and what it says of others, which it leaves as they are. */
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openWorkflowSqlite } from '../../../../src/adapters/workflow-sqlite/store.ts';
import type { WorkflowStore } from '../../../../src/ports/workflow-store.ts';
import { openStore, temporaryFolder } from '../../../support/store-folder.ts';
import { newExecution } from '../../../support/workflow/builders.ts';

function newFile(): string {
  return join(temporaryFolder(), 'workflow.db');
}

async function opened(file: string): Promise<WorkflowStore> {
  const store = await openWorkflowSqlite({ file });
  onTestFinished(() => store.close());
  return store;
}

describe('a workflow file', () => {
  test('is made where it does not exist, for its owner alone, and keeps what was started', async () => {
    const file = newFile();
    const first = await opened(file);
    await first.start(newExecution({ name: 'kept' }));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await first.close();
    const second = await opened(file);
    expect((await second.executions({ limit: 2 })).map(({ name }) => name)).toEqual(['kept']);
  });

  test('is made once by many that open it at the same time', async () => {
    const file = newFile();
    const stores = await Promise.all(Array.from({ length: 6 }, () => opened(file)));
    await Promise.all(stores.map((store) => store.start(newExecution())));
    for (const store of stores) expect(await store.executions({ limit: 10 })).toHaveLength(6);
  });

  test('is written durably, in a write-ahead log', async () => {
    const file = newFile();
    await opened(file);
    const database = new DatabaseSync(file);
    onTestFinished(() => database.close());
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  });
});

describe('a file that is no workflow file is refused, and left as it is', () => {
  async function expectRefused(file: string): Promise<void> {
    const before = readFileSync(file);
    await expect(openWorkflowSqlite({ file })).rejects.toMatchObject({ reason: 'Foreign', file });
    expect(readFileSync(file)).toEqual(before);
  }

  test("the controller's state file, while the controller has it", async () => {
    const file = join(temporaryFolder(), 'state.db');
    const controller = await openStore({ file });
    await expect(openWorkflowSqlite({ file })).rejects.toThrow("is the controller's state file");
    await controller.close();
    await expectRefused(file);
  });

  test('another database', async () => {
    const file = newFile();
    const database = new DatabaseSync(file);
    database.exec('CREATE TABLE event (key INTEGER PRIMARY KEY)');
    database.close();
    await expectRefused(file);
  });

  test('a text', async () => {
    const file = newFile();
    writeFileSync(file, 'executions: []\n'.repeat(1_000));
    await expectRefused(file);
  });
});

describe('a workflow file that cannot be used is refused with what is wrong', () => {
  test('an empty one: it would be taken for new, and all executions would be gone', async () => {
    const file = newFile();
    writeFileSync(file, '');
    await expect(openWorkflowSqlite({ file })).rejects.toMatchObject({
      reason: 'Corrupt',
      finding: 'is empty',
    });
  });

  test('one of which only the log is left', async () => {
    const file = newFile();
    writeFileSync(`${file}-wal`, 'something');
    await expect(openWorkflowSqlite({ file })).rejects.toMatchObject({ reason: 'Incomplete' });
  });

  test('one in a folder that does not exist, or that is a folder', async () => {
    const file = newFile();
    await expect(openWorkflowSqlite({ file: join(file, 'deeper') })).rejects.toMatchObject({
      reason: 'Unusable',
    });
    mkdirSync(file);
    await expect(openWorkflowSqlite({ file })).rejects.toThrow(file);
  });

  test('one whose pages were cut off', async () => {
    const file = newFile();
    await (await opened(file)).close();
    truncateSync(file, 8_192);
    await expect(openWorkflowSqlite({ file })).rejects.toMatchObject({ reason: 'Corrupt' });
  });
});

describe('a store whose file somebody else has broken', () => {
  test('fails its calls with the name of the file, and nothing hangs', async () => {
    const file = newFile();
    const store = await opened(file);
    const shell = new DatabaseSync(file);
    shell.exec('DROP TABLE execution');
    shell.close();
    await expect(store.start(newExecution())).rejects.toThrow(file);
    await expect(store.now()).resolves.toBeGreaterThan(0);
    await store.close();
  });
});
