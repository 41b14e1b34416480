// Thousands of delegates are told of again and again: what is the same is no commit, which would wake all other managers.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { openWorkflowSqlite } from '../../../../src/adapters/workflow-sqlite/store.ts';
import { instant } from '../../../../src/model/instant.ts';
import type { ManagerId } from '../../../../src/model/workflow.ts';
import { aRegistration } from '../../../support/registrations.ts';
import { temporaryFolder } from '../../../support/store-folder.ts';

const MANAGER = 'manager-1' as ManagerId;

test('delegates of whom there is nothing new change nothing in the file, and one of many is one row', async () => {
  const file = join(temporaryFolder(), 'workflow.db');
  const store = await openWorkflowSqlite({ file });
  const other = new DatabaseSync(file);
  onTestFinished(async () => {
    other.close();
    await store.close();
  });
  const commits = (): unknown => other.prepare('PRAGMA data_version').get()?.['data_version'];
  const boxes = Array.from({ length: 500 }, (_, index) =>
    aRegistration(`box-${index}`, { tenant: 'acme', version: 'v1' }),
  );
  await store.saveDelegates(MANAGER, boxes);
  const before = commits();
  await store.saveDelegates(MANAGER, boxes);
  expect(commits()).toBe(before);
  const [first, ...rest] = boxes.map((box) => ({ ...box }));
  await store.saveDelegates(MANAGER, [{ ...first!, running: 9 }, ...rest.slice(1)]);
  expect(commits()).not.toBe(before);
  const found = await store.delegates({ since: instant(0) });
  expect(found).toHaveLength(499);
  expect(found.find(({ delegate }) => delegate === first?.delegate)?.running).toBe(9);
  expect(found.some(({ delegate }) => delegate === rest[0]?.delegate)).toBe(false);
});
