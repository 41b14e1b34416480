/** Temporary folders for state files, and what a store holds, for tests of stores on disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { StoreContent } from '../../src/adapters/sqlite/content.ts';
import { MIGRATIONS, type Migration } from '../../src/adapters/sqlite/migrations.ts';
import { openDatabase } from '../../src/adapters/sqlite/open.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../src/adapters/sqlite/store.ts';
import type { AuditEvent } from '../../src/model/audit.ts';
import type { Store, StoredState } from '../../src/ports/store.ts';

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a store that is closed when the test ends. */
export async function openStore(options: SqliteStoreOptions): Promise<Store> {
  const store = await openSqliteStore(options);
  onTestFinished(() => store.close());
  return store;
}

/** Everything that a store holds. */
export interface Holding {
  readonly state: StoredState;
  readonly events: readonly AuditEvent[];
}

/** Reads everything. */
export async function holdingOf(store: Store): Promise<Holding> {
  return { state: await store.load(), events: await store.events({ limit: 1_000_000 }) };
}

/** Opens a file in this thread, without the worker, and closes it again. */
export function withContent<T>(
  file: string,
  use: (content: StoreContent) => T,
  migrations: readonly Migration[] = MIGRATIONS,
): T {
  const database = openDatabase({ file, migrations });
  try {
    return use(new StoreContent({ database, file, eventsKept: 1000, measurementsKept: 1000 }));
  } finally {
    database.close();
  }
}

/** Everything that a file holds, read in this thread. */
export function readHolding(file: string): Holding {
  return withContent(file, (content) => ({
    state: content.load(),
    events: content.events({ limit: 1_000_000 }),
  }));
}
