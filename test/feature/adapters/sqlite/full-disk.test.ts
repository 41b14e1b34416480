/** A disk without space: the commit is refused by name, nothing is changed, and work goes on when space is back. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StoreContent } from '../../../../src/adapters/sqlite/content.ts';
import { StoreWriteError } from '../../../../src/adapters/sqlite/errors.ts';
import { MIGRATIONS } from '../../../../src/adapters/sqlite/migrations.ts';
import { openDatabase } from '../../../../src/adapters/sqlite/open.ts';
import { readHolding, temporaryFolder } from '../../../support/store-folder.ts';
import { holdingAfter } from '../../../support/store-writer-commits.ts';
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
  expect(refusal.generation).toBe(writer.last);
  writer.goOn();
  expect((await writer.refused()).generation).toBe(writer.last);
  const before = writer.last;
  execFileSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited:unlimited']);
  writer.goOn();
  await writer.acknowledged(before + 20);
  await writer.kill();
  const holding = readHolding(file);
  const stored = holding.state.services[0]?.generation ?? 0;
  expect([writer.last, writer.last + 1]).toContain(stored);
  expect(holding).toEqual(holdingAfter(stored, SIZE));
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
