// One number says how new a record is, whatever it is kept in.
import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../../../src/adapters/sqlite/migrations.ts';
import { NEWEST_FORM } from '../../../../src/adapters/stored/oldest-reader.ts';

test('the newest form that a release knows is that of its state file', () => {
  expect(NEWEST_FORM).toBe(MIGRATIONS.at(-1)?.number);
});
