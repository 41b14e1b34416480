/** Releases that share a file: a newer one adds to it after a backup, and the release before still opens it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { MIGRATIONS, type Migration } from '../../../../src/adapters/sqlite/migrations.ts';
import { readHolding, temporaryFolder, withContent } from '../../../support/store-folder.ts';
import { commitNumber, holdingAfter } from '../../../support/store-writer-commits.ts';

const SIZE = 100;
const LAST = MIGRATIONS.length;

/** What a next release might add. */
const additive: Migration = {
  number: LAST + 1,
  minReader: LAST,
  statements: [
    'CREATE TABLE forecast (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID',
    "ALTER TABLE event ADD COLUMN action TEXT GENERATED ALWAYS AS (body ->> '$.action')",
    'CREATE INDEX event_by_action ON event (action, key)',
  ],
};
const breaking: Migration = { number: LAST + 1, minReader: LAST + 1, statements: additive.statements };
const failing: Migration = {
  ...additive,
  statements: [...additive.statements, 'INSERT INTO nowhere VALUES (1)'],
};

function fileWith(last: number): string {
  const file = join(temporaryFolder(), 'state.db');
  commit({ file, first: 1, last });
  return file;
}

function commit(range: {
  file: string;
  first: number;
  last: number;
  migrations?: readonly Migration[];
}): void {
  const write = (content: Parameters<Parameters<typeof withContent>[1]>[0]) => {
    for (let number = range.first; number <= range.last; number++) content.commit(commitNumber(number, SIZE));
  };
  withContent(range.file, write, range.migrations);
}

function actionsIn(file: string): unknown[] {
  const database = new DatabaseSync(file);
  const rows = database.prepare("SELECT count(*) AS flips FROM event WHERE action = 'Flip'").all();
  database.close();
  return rows.map((row) => row['flips']);
}

describe('a state file and two releases', () => {
  test('the released steps are numbered from 1 without gaps', () => {
    expect(MIGRATIONS.map(({ number }) => number)).toEqual(MIGRATIONS.map((_, index) => index + 1));
    for (const { number, minReader } of MIGRATIONS) expect(minReader).toBeLessThanOrEqual(number);
  });

  test('the newer release backs the file up, then adds to it', () => {
    const file = fileWith(3);
    const newer = [...MIGRATIONS, additive];
    withContent(file, () => {}, newer);
    expect(readHolding(`${file}.before-migration-${LAST + 1}`)).toEqual(holdingAfter(3, SIZE));
    expect(actionsIn(file)).toEqual([3]);
  });

  test('the older release reads and writes what the newer one has added to, and back again', () => {
    const file = fileWith(3);
    const newer = [...MIGRATIONS, additive];
    commit({ file, first: 4, last: 5, migrations: newer });
    commit({ file, first: 6, last: 7 });
    expect(readHolding(file)).toEqual(holdingAfter(7, SIZE));
    commit({ file, first: 8, last: 9, migrations: newer });
    expect(readHolding(file)).toEqual(holdingAfter(9, SIZE));
    expect(actionsIn(file)).toEqual([9]);
    expect(existsSync(`${file}.before-migration-${LAST + 1}-2`)).toBe(false);
  });

  test('facts that the newer release keeps about the file survive the older one', () => {
    const file = fileWith(1);
    const newer: Migration = {
      ...additive,
      statements: [`UPDATE meta SET body = json_set(body, '$.measured', 'yes') WHERE key = 'seal'`],
    };
    withContent(file, () => {}, [...MIGRATIONS, newer]);
    commit({ file, first: 2, last: 2 });
    const database = new DatabaseSync(file);
    const seal = database
      .prepare("SELECT body ->> '$.measured' AS measured FROM meta WHERE key = 'seal'")
      .get();
    database.close();
    expect(seal?.['measured']).toBe('yes');
  });

  test('a form that the older release cannot read is refused by it, with the way back', () => {
    const file = fileWith(2);
    withContent(file, () => {}, [...MIGRATIONS, breaking]);
    const backup = `${file}.before-migration-${LAST + 1}`;
    expect(() => readHolding(file)).toThrow(
      expect.objectContaining({
        reason: 'TooNew',
        message: expect.stringContaining(`switchyard restore ${backup}`),
      }),
    );
    expect(readHolding(backup)).toEqual(holdingAfter(2, SIZE));
  });

  test('a step that fails leaves the file in the form before, with its backup', () => {
    const file = fileWith(2);
    expect(() => withContent(file, () => {}, [...MIGRATIONS, failing])).toThrow(/nowhere/);
    expect(readHolding(file)).toEqual(holdingAfter(2, SIZE));
    withContent(file, () => {}, [...MIGRATIONS, additive]);
    expect(readHolding(`${file}.before-migration-${LAST + 1}`)).toEqual(holdingAfter(2, SIZE));
    expect(readHolding(`${file}.before-migration-${LAST + 1}-2`)).toEqual(holdingAfter(2, SIZE));
  });
});
