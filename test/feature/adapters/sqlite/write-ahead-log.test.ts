/** The write-ahead log that a crash leaves: what was committed is in it, and a torn one gives no part of a commit. */
import { copyFileSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { StoreContent } from '../../../../src/adapters/sqlite/content.ts';
import { MIGRATIONS } from '../../../../src/adapters/sqlite/migrations.ts';
import { openDatabase } from '../../../../src/adapters/sqlite/open.ts';
import { full, seed } from '../../../support/seed.ts';
import {
  holdingIn,
  holdingOf,
  openStore,
  readHolding,
  temporaryFolder,
  withContent,
} from '../../../support/store-folder.ts';
import { commitNumber, countNumber, measurementNumber } from '../../../support/store-writer-commits.ts';
import { newEvent, serviceRecord } from '../../../support/stored-records.ts';

/** Milliseconds for a property that opens many files. */
const PATIENCE = full() ? 600_000 : 60_000;

/** The files that a process leaves behind that dies now. */
function copyAsIfKilled(file: string, copy: string): void {
  copyFileSync(file, copy);
  copyFileSync(`${file}-wal`, `${copy}-wal`);
}

describe('a write-ahead log that a crash left', () => {
  test('holds what was committed', () => {
    const folder = temporaryFolder();
    const [file, copy] = [join(folder, 'state.db'), join(folder, 'copy.db')];
    withContent(file, (content) => {
      for (let number = 1; number <= 5; number++) content.commit(commitNumber(number, 100));
      copyAsIfKilled(file, copy);
    });
    expect(readHolding(copy)).toEqual(readHolding(file));
  });

  test('is empty soon after a commit: then the file alone is complete', async () => {
    const folder = temporaryFolder();
    const [file, alone] = [join(folder, 'state.db'), join(folder, 'alone.db')];
    const store = await openStore({ file });
    await store.commit({ services: [serviceRecord({ name: 'a' })], events: [newEvent({ action: 'Flip' })] });
    await vi.waitUntil(() => statSync(`${file}-wal`).size === 0, { timeout: 10_000 });
    copyFileSync(file, alone);
    expect(readHolding(alone)).toEqual(await holdingOf(store));
  });

  test('that was torn at its end gives what was committed before the tear, never a part of a commit', {
    timeout: PATIENCE,
  }, () => {
    const folder = temporaryFolder();
    const [file, killed, torn] = [
      join(folder, 'state.db'),
      join(folder, 'killed.db'),
      join(folder, 'torn.db'),
    ];
    const prefixes: string[] = [];
    const database = openDatabase({ file, migrations: MIGRATIONS });
    const content = new StoreContent({ database, file, eventsKept: 1000, measurementsKept: 1000 });
    const remember = () => prefixes.push(JSON.stringify(holdingIn(content)));
    remember();
    for (let number = 1; number <= 6; number++) {
      content.commit(commitNumber(number, 100));
      remember();
      content.history.append([measurementNumber(number)]);
      remember();
      content.history.saveTraffic([countNumber(number)]);
      remember();
    }
    copyAsIfKilled(file, killed);
    database.close();
    const length = readFileSync(`${killed}-wal`).length;
    fc.assert(
      fc.property(fc.nat(length), (kept) => {
        copyAsIfKilled(killed, torn);
        truncateSync(`${torn}-wal`, kept);
        expect(prefixes).toContain(JSON.stringify(readHolding(torn)));
      }),
      { seed: seed(), numRuns: full() ? 2_000 : 60 },
    );
  });
});
