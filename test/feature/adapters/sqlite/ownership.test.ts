/** One process owns a state file: who comes second is told by whom it is held, and a dead owner holds nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MIGRATIONS } from '../../../../src/adapters/sqlite/migrations.ts';
import { openDatabase } from '../../../../src/adapters/sqlite/open.ts';
import { openSqliteStore } from '../../../../src/adapters/sqlite/store.ts';
import { holdingOf, openStore, readHolding, temporaryFolder } from '../../../support/store-folder.ts';
import { StoreWriter } from '../../../support/store-writer-process.ts';
import { serviceRecord } from '../../../support/stored-records.ts';

test('a second process is refused, with the id of the first', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const writer = await StoreWriter.start({ file });
  await writer.acknowledged(1);
  await expect(openSqliteStore({ file })).rejects.toMatchObject({
    name: 'StoreRefusedError',
    reason: 'Locked',
    message: `${file} is in use by process ${writer.pid}. One process at a time may own it; stop that one first`,
  });
  await writer.kill();
  const store = await openStore({ file });
  expect((await store.load()).everWritten).toBe(true);
});

test('a second store in the same process is refused too, and the first works on', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const store = await openStore({ file });
  await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'Locked' });
  await store.commit({ services: [serviceRecord({ name: 'manager' })] });
  expect((await holdingOf(store)).state.services).toHaveLength(1);
  await expect(openSqliteStore({ file })).rejects.toMatchObject({ reason: 'Locked' });
});

test('of stores that make the same file at once, one gets it and the others are told', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const outcomes = await Promise.allSettled(Array.from({ length: 3 }, () => openStore({ file })));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ reason: 'Locked' });
  }
});

test('a closed store can be opened again, and its file stands alone', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'state.db');
  const store = await openStore({ file });
  await store.commit({ services: [serviceRecord({ name: 'manager' })] });
  await store.close();
  expect(readFileSync(file).length).toBeGreaterThan(0);
  expect(readHolding(file).state.services).toEqual([serviceRecord({ name: 'manager' })]);
});

test('a folder that does not exist is named', async () => {
  const file = join(temporaryFolder(), 'missing', 'state.db');
  await expect(openSqliteStore({ file })).rejects.toMatchObject({
    reason: 'Unusable',
    message: expect.stringContaining(`${file} cannot be opened for reading and writing: ENOENT`),
  });
});

test('every commit is synced: a write-ahead log with synchronous=FULL', () => {
  const file = join(temporaryFolder(), 'state.db');
  const database = openDatabase({ file, migrations: MIGRATIONS });
  onTestFinished(() => database.close());
  const settings = ['journal_mode', 'synchronous', 'locking_mode'].map(
    (name) => database.prepare(`PRAGMA ${name}`).get()?.[name],
  );
  expect(settings).toEqual(['wal', 2, 'exclusive']);
});
