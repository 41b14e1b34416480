/** A disk without space: the commit is refused by name, nothing is changed, and work goes on when space is back. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StoreContent } from '../../../../src/adapters/sqlite/content.ts';
import { StoreWriteError } from '../../../../src/adapters/sqlite/errors.ts';
import { MIGRATIONS } from '../../../../src/adapters/sqlite/migrations.ts';
import { openDatabase } from '../../../../src/adapters/sqlite/open.ts';
import { holdingIn, readHolding, temporaryFolder } from '../../../support/store-folder.ts';
import {
  commitNumber,
  countNumber,
  holdingAfter,
  measurementNumber,
  withoutFollowers,
} from '../../../support/store-writer-commits.ts';
import { StoreWriter } from '../../../support/store-writer-process.ts';
import { newEvent, serviceRecord } from '../../../support/stored-records.ts';

const SIZE = 20_000;

test('a limit on the size of files refuses commits; when it is raised, the same process commits again', async () => {
  const file = join(temporaryFolder(), 'state.db');
  const writer = await StoreWriter.start({
    file,
    size: SIZE,
    wrapper: ['prlimit', '--fsize=90000:unlimited'],
  });
  const refusal = await writer.refused();
  expect(refusal.name).toBe('StoreWriteError');
  expect(refusal.message).toMatch(
    /could not be written, nothing was changed: .*; free space on its volume, then repeat/,
  );
  // A commit was refused, or what follows it.
  expect([writer.last, writer.last + 1]).toContain(refusal.generation);
  writer.goOn();
  expect((await writer.refused()).generation).toBe(refusal.generation);
  const before = writer.last;
  execFileSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited:unlimited']);
  writer.goOn();
  await writer.acknowledged(before + 20);
  await writer.kill();
  const holding = readHolding(file);
  const stored = holding.state.services[0]?.generation ?? 0;
  expect([writer.last, writer.last + 1]).toContain(stored);
  const { measured, counted, rest } = withoutFollowers(holding);
  expect(rest).toEqual(holdingAfter(stored, SIZE));
  for (const numbers of [measured, counted]) {
    expect(numbers.length).toBeGreaterThanOrEqual(writer.last);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  }
});

test('measurements and counts that do not fit are refused whole, and are taken when there is space', () => {
  const file = join(temporaryFolder(), 'state.db');
  const database = openDatabase({ file, migrations: MIGRATIONS });
  const content = new StoreContent({ database, file, eventsKept: 1000, measurementsKept: 1000 });
  content.commit(commitNumber(1, 100));
  const before = holdingIn(content);
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
  database.exec(`PRAGMA max_page_count = ${pages}`);
  const measurements = Array.from({ length: 50 }, (_, index) => measurementNumber(index + 1));
  const counts = Array.from({ length: 2_000 }, (_, index) => countNumber(index + 1));
  expect(() => content.history.append(measurements)).toThrow(/database or disk is full/);
  expect(() => content.history.saveTraffic(counts)).toThrow(StoreWriteError);
  expect(holdingIn(content)).toEqual(before);
  database.exec('PRAGMA max_page_count = 100000');
  content.history.append(measurements);
  content.history.saveTraffic(counts);
  database.close();
  const holding = readHolding(file);
  expect(holding.rollouts.flatMap((past) => past.measurements)).toEqual(measurements);
  expect(holding.traffic).toEqual(counts);
});

test('what SQLite calls a full database is refused, and the content stays as it was', () => {
  const file = join(temporaryFolder(), 'state.db');
  const database = openDatabase({ file, migrations: MIGRATIONS });
  const content = new StoreContent({ database, file, eventsKept: 1000, measurementsKept: 1000 });
  content.commit({ services: [serviceRecord({ name: 'manager' })], events: [newEvent({ action: 'Apply' })] });
  const before = [content.load(), content.events({ limit: 10 })];
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
  database.exec(`PRAGMA max_page_count = ${pages}`);
  const large = serviceRecord({ name: 'manager', generation: 2, document: 'x'.repeat(100_000) });
  const write = () => content.commit({ services: [large], events: [newEvent({ action: 'Apply' })] });
  expect(write).toThrow(StoreWriteError);
  expect(write).toThrow(/database or disk is full/);
  expect([content.load(), content.events({ limit: 10 })]).toEqual(before);
  database.exec('PRAGMA max_page_count = 100000');
  expect(write().map(({ sequence }) => sequence)).toEqual([2]);
  database.close();
  expect(readHolding(file).state.services).toEqual([large]);
});
