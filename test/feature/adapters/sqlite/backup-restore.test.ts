/** Backups are complete while commits go on, and a restore never destroys what it replaces. */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { restoreStore } from '../../../../src/adapters/sqlite/restore.ts';
import { NO_DELEGATES } from '../../../../src/goalstate/generation.ts';
import { instant } from '../../../../src/model/instant.ts';
import type { ServiceName } from '../../../../src/model/names.ts';
import { aRecord } from '../../../support/records.ts';
import {
  holdingOf,
  openStore,
  readHolding,
  temporaryFolder,
  withContent,
} from '../../../support/store-folder.ts';
import {
  commitNumber,
  countNumber,
  holdingAfter,
  measurementNumber,
} from '../../../support/store-writer-commits.ts';
import { trafficCoverage } from '../../../support/stored-history.ts';

const now = instant(Date.parse('2026-08-01T10:15:00.000Z'));
const SIZE = 100;

/** A folder with a state file that holds commits 1 to `last`. */
function folderWith(last: number): { folder: string; file: string; backup: string } {
  const folder = temporaryFolder();
  const file = join(folder, 'state.db');
  commitUpTo(file, 1, last);
  return { folder, file, backup: join(folder, 'backup.db') };
}

function commitUpTo(file: string, first: number, last: number): void {
  withContent(file, (content) => {
    for (let number = first; number <= last; number++) content.commit(commitNumber(number, SIZE));
  });
}

describe('a backup', () => {
  test('holds exactly the commits that were made before it, while others go on', async () => {
    const { file, backup } = folderWith(0);
    const store = await openStore({ file });
    const calls: Promise<unknown>[] = [];
    for (let number = 1; number <= 20; number++) {
      calls.push(store.commit(commitNumber(number, SIZE)));
      if (number === 13) calls.push(store.backup(backup));
    }
    await Promise.all(calls);
    expect(readHolding(backup)).toEqual(holdingAfter(13, SIZE));
    expect(await holdingOf(store)).toEqual(holdingAfter(20, SIZE));
  });

  test('carries rollouts, measurements, counts of requests and coverages, and a restore brings them back', async () => {
    const { folder, file, backup } = folderWith(2);
    const store = await openStore({ file });
    await store.appendMeasurements([measurementNumber(1), measurementNumber(2)]);
    await store.saveTraffic([countNumber(1), countNumber(2)]);
    await store.saveCoverage(trafficCoverage(1, 9));
    const holding = await holdingOf(store);
    expect(holding.rollouts.flatMap(({ measurements }) => measurements)).toHaveLength(2);
    await store.backup(backup);
    const elsewhere = join(folder, 'elsewhere.db');
    restoreStore({ file: elsewhere, backup, now });
    expect(readHolding(elsewhere)).toEqual(holding);
  });

  test('is one file that only its owner may read', async () => {
    const { folder, file, backup } = folderWith(3);
    const store = await openStore({ file });
    await store.backup(backup);
    await store.close();
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual(['backup.db', 'state.db']);
  });

  test('never overwrites a file, the state file itself included', async () => {
    const { file, backup } = folderWith(3);
    writeFileSync(backup, 'somebody else wrote this');
    const store = await openStore({ file });
    for (const target of [backup, file]) {
      await expect(store.backup(target)).rejects.toMatchObject({
        reason: 'Exists',
        message: `${target} exists and is not overwritten. Choose another name or move it away`,
      });
    }
    expect(readFileSync(backup, 'utf8')).toBe('somebody else wrote this');
    expect(await holdingOf(store)).toEqual(holdingAfter(3, SIZE));
  });

  test('that cannot be written names its file and leaves nothing', async () => {
    const { folder, file } = folderWith(3);
    const target = join(folder, 'missing', 'backup.db');
    const store = await openStore({ file });
    await expect(store.backup(target)).rejects.toMatchObject({
      reason: 'Unusable',
      message: expect.stringContaining(target),
    });
    await store.close();
    expect(readdirSync(folder)).toEqual(['state.db']);
  });
});

describe('a restore', () => {
  test('puts the backup in place and keeps the file that was there', async () => {
    const { folder, file, backup } = folderWith(3);
    copyFileSync(file, backup);
    commitUpTo(file, 4, 7);
    const outcome = restoreStore({ file, backup, now });
    expect(outcome).toEqual({ kept: `${file}.before-restore-2026-08-01T10-15-00.000Z` });
    expect(readHolding(file)).toEqual(holdingAfter(3, SIZE));
    expect(readHolding(outcome.kept ?? '')).toEqual(holdingAfter(7, SIZE));
    expect(readHolding(backup)).toEqual(holdingAfter(3, SIZE));
    expect(readdirSync(folder)).toHaveLength(3);
    commitUpTo(file, 4, 5);
    expect(readHolding(file)).toEqual(holdingAfter(5, SIZE));
  });

  test('a backup made by the store can be restored where no file is', async () => {
    const { folder, file, backup } = folderWith(3);
    const store = await openStore({ file });
    await store.backup(backup);
    const elsewhere = join(folder, 'elsewhere.db');
    expect(restoreStore({ file: elsewhere, backup, now })).toEqual({});
    expect(readHolding(elsewhere)).toEqual(holdingAfter(3, SIZE));
  });

  test('replaces a damaged file, a foreign one and one of a newer release, and keeps each', () => {
    const { folder, file, backup } = folderWith(3);
    copyFileSync(file, backup);
    const damaged = Buffer.from(readFileSync(file)).fill(7, 4096, 8192);
    const newer = () => {
      copyFileSync(backup, file);
      const database = new DatabaseSync(file);
      database.exec('PRAGMA user_version = 99');
      database.close();
    };
    const spoil = [() => writeFileSync(file, damaged), () => writeFileSync(file, 'not a database'), newer];
    for (const [index, make] of spoil.entries()) {
      make();
      const { kept } = restoreStore({ file, backup, now: instant(now + index) });
      expect(existsSync(kept ?? '')).toBe(true);
      expect(readHolding(file)).toEqual(holdingAfter(3, SIZE));
    }
    expect(readdirSync(folder)).toHaveLength(2 + spoil.length);
  });

  test('keeps a log whose state file was lost beside the kept name', () => {
    const { file, backup } = folderWith(3);
    copyFileSync(file, backup);
    const elsewhere = join(temporaryFolder(), 'state.db');
    writeFileSync(`${elsewhere}-wal`, 'what was left');
    restoreStore({ file: elsewhere, backup, now });
    expect(readHolding(elsewhere)).toEqual(holdingAfter(3, SIZE));
    const kept = `${elsewhere}.before-restore-2026-08-01T10-15-00.000Z-wal`;
    expect(readFileSync(kept, 'utf8')).toBe('what was left');
  });

  test('is refused while a store uses the file, and changes nothing', async () => {
    const { folder, file, backup } = folderWith(3);
    copyFileSync(file, backup);
    const store = await openStore({ file });
    await store.commit(commitNumber(4, SIZE));
    expect(() => restoreStore({ file, backup, now })).toThrow(/is in use by process \d+/);
    await store.commit(commitNumber(5, SIZE));
    await store.close();
    expect(readHolding(file)).toEqual(holdingAfter(5, SIZE));
    expect(readdirSync(folder).toSorted()).toEqual(['backup.db', 'state.db']);
  });

  test.each([
    ['a damaged backup', (bytes: Buffer) => bytes.fill(0, 4096, 8192), 'Corrupt'],
    ['half a backup', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2), 'Corrupt'],
    ['an empty file', () => Buffer.alloc(0), 'Corrupt'],
    ['something else', () => Buffer.from('kind: VersionedService\n'.repeat(300)), 'Foreign'],
  ])('%s is refused by its name, and the state file stays', (_, spoil, reason) => {
    const { folder, file, backup } = folderWith(3);
    writeFileSync(backup, spoil(Buffer.from(readFileSync(file))));
    const restore = () => restoreStore({ file, backup, now });
    expect(restore).toThrow(expect.objectContaining({ reason, file: backup }));
    expect(restore).toThrow(expect.objectContaining({ message: expect.stringContaining(backup) }));
    expect(readHolding(file)).toEqual(holdingAfter(3, SIZE));
    expect(readdirSync(folder).toSorted()).toEqual(['backup.db', 'state.db']);
  });

  test('a copy of a file in use, without its log, is not taken for a backup', async () => {
    const { file, backup } = folderWith(3);
    copyFileSync(file, backup);
    writeFileSync(`${backup}-wal`, 'x');
    expect(() => restoreStore({ file, backup, now })).toThrow(
      /is a state file in use or left by a crash, not a backup/,
    );
    expect(() => restoreStore({ file, backup: `${backup}.missing`, now })).toThrow(
      /\.missing does not exist/,
    );
  });

  test('marks what boxes may have been told since the backup, so that those numbers are not given again', async () => {
    const { folder, backup } = folderWith(0);
    const store = await openStore({ file: join(folder, 'state.db') });
    const current = { ...NO_DELEGATES.current, generation: 7 };
    const told = aRecord({ name: 'told' as ServiceName, delegates: { ...NO_DELEGATES, current } });
    const never = aRecord({ name: 'never' as ServiceName });
    await store.commit({ services: [told, never].map((record) => ({ ...record, generation: 1 })) });
    await store.backup(backup);
    await store.close();
    const file = join(folder, 'restored.db');
    restoreStore({ file, backup, now });
    const restored = await openStore({ file });
    const { services } = await restored.load();
    const records = Object.fromEntries(services.map((record) => [record.name, record]));
    const seconds = (now - Date.UTC(2026, 0)) / 1_000;
    expect(records['told']?.delegates).toEqual({
      ...told.delegates,
      foreign: [{ above: 7, upTo: seconds }],
    });
    expect(records['never']).toEqual({ ...never, generation: 1 });
  });

  test('two restores at the same instant do not overwrite what the first one kept', () => {
    const { file, backup } = folderWith(3);
    copyFileSync(file, backup);
    const { kept } = restoreStore({ file, backup, now });
    expect(() => restoreStore({ file, backup, now })).toThrow(`${kept} exists and is not overwritten`);
  });
});
