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
import { instant } from '../../src/model/instant.ts';
import type { Measurement } from '../../src/model/measurement.ts';
import type { RolloutRecord } from '../../src/model/rollout.ts';
import type { TrafficCount, TrafficCoverage } from '../../src/model/traffic.ts';
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
  /** Newest first, with what was measured for each. */
  readonly rollouts: readonly {
    readonly rollout: RolloutRecord;
    readonly measurements: readonly Measurement[];
  }[];
  /** Of all services that are stored. */
  readonly traffic: readonly TrafficCount[];
  readonly coverage: readonly TrafficCoverage[];
}

const EVER = { from: instant(0), to: instant(Number.MAX_SAFE_INTEGER) };

/** Reads everything. */
export async function holdingOf(store: Store): Promise<Holding> {
  const state = await store.load();
  const rollouts = await store.rollouts({ limit: 1_000_000 });
  const traffic = await Promise.all(
    state.services.map(({ name }) => store.traffic({ service: name, ...EVER })),
  );
  return {
    state,
    events: await store.events({ limit: 1_000_000 }),
    rollouts: await Promise.all(
      rollouts.map(async (rollout) => ({ rollout, measurements: await store.measurements(rollout.id) })),
    ),
    traffic: traffic.flat(),
    coverage: await store.coverage(EVER),
  };
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
  return withContent(file, holdingIn);
}

/** Everything that an open file holds. */
export function holdingIn(content: StoreContent): Holding {
  const { history } = content;
  const state = content.load();
  return {
    state,
    events: content.events({ limit: 1_000_000 }),
    rollouts: history
      .rollouts({ limit: 1_000_000 })
      .map((rollout) => ({ rollout, measurements: history.measurements(rollout.id) })),
    traffic: state.services.flatMap(({ name }) => history.traffic({ service: name, ...EVER })),
    coverage: history.coverage(EVER),
  };
}
