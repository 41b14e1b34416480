/** The workflow store on Postgres. docs/workflow-postgres.md says how it is set up, and what its server needs. */
import { hostname } from 'node:os';
import { instant, type Milliseconds } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { TaskId, Worker } from '../../model/workflow.ts';
import type { StartOutcome, WorkflowStore } from '../../ports/workflow-store.ts';
import { Batches } from './batches.ts';
import { type Change, deciding } from './changes.ts';
import { textIn } from './columns.ts';
import { Connections } from './connections.ts';
import { EventClaims } from './event-claims.ts';
import { abandoning, commanding, givingBack, reviving } from './giving-up.ts';
import { renewEvents, renewTasks } from './leases.ts';
import { Announcer, Listener } from './listener.ts';
import { migrate } from './migrate.ts';
import { Queries } from './queries.ts';
import { MIGRATIONS, type Migration } from './schema.ts';
import { type Start, startOf, startTogether } from './starting.ts';
import { stepping } from './stepping.ts';
import { expiring, finishing, returning } from './task-changes.ts';
import { claimTasks, FIND_EXPIRED, versionsOf } from './task-claims.ts';
import { Versions } from './versions.ts';

export interface PostgresWorkflowStoreOptions {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; the `sslmode` that it names is kept to. */
  readonly connectionString: string;
  /** Where the tables are; default `switchyard_workflow`. */
  readonly schema?: string;
  /** Connections beside the one that listens; default 4. */
  readonly connections?: number;
  /** How long a call waits for a server that is away; default 30 seconds. */
  readonly patience?: Milliseconds;
  /** How long one statement may take; default 30 seconds. */
  readonly statementTimeout?: Milliseconds;
  /** False: tables that are missing or old are an error, for roles that may not create any. Default true. */
  readonly mayMigrate?: boolean;
  /** The migrations that this release knows; others in tests of neighbouring releases. */
  readonly migrations?: readonly Migration[];
}

/** Leases of tasks that ran out are looked for this often at the most, by each client: a look reads all that are leased. */
const LOOK_FOR_EXPIRED_MS = 1_000;

/** Opens the store, and makes or completes its tables where it may. Throws WorkflowStoreError. */
export async function openPostgresWorkflowStore(
  options: PostgresWorkflowStoreOptions,
): Promise<WorkflowStore> {
  const { connectionString, schema = 'switchyard_workflow', mayMigrate = true } = options;
  const { connections: size = 4, patience = 30_000, statementTimeout = 30_000 } = options;
  const { migrations = MIGRATIONS } = options;
  await migrate({ connectionString, schema, mayMigrate, patience, migrations });
  const applicationName = `switchyard workflow ${hostname()} ${process.pid}`;
  const session = { connectionString, schema, applicationName, statementTimeout };
  const connections = new Connections({ ...session, receipts: true, size, patience });
  const listener = new Listener({ ...session, receipts: false });
  const announcer = new Announcer(schema, listener.self, (word) =>
    connections.run('a word to others', [word]),
  );
  const shared = { connections, known: migrations.at(-1)?.version ?? 0, word: () => announcer.word() };
  // One connection is left for claims and queries, and one for starts.
  const changes = new Batches<Change<unknown>, unknown>({
    concurrency: Math.max(1, size - 2),
    most: 200,
    weightOf: ({ weight }) => weight,
    async transact(asked) {
      const { settled, isAnythingDue } = await connections.transact(
        'a change of executions',
        deciding(asked, shared),
      );
      if (isAnythingDue) listener.call();
      return settled;
    },
  });
  const make = <Outcome>(change: Change<Outcome>): Promise<Outcome> =>
    changes.make(change) as Promise<Outcome>;
  const starts = new Batches<Start, StartOutcome>({
    concurrency: 1,
    most: 100,
    weightOf: ({ data, input }) => data.length + input.length,
    async transact(asked) {
      const settled = await startTogether(asked, shared);
      listener.call();
      return settled;
    },
  });
  const claims = new EventClaims(connections);
  const queries = new Queries(connections);
  const versions = new Versions(connections);
  let lookedAt = 0;

  /** Makes tasks due again whose delegates are gone. */
  async function expire(wanted: readonly VersionName[], worker: Worker): Promise<void> {
    if (performance.now() - lookedAt < LOOK_FOR_EXPIRED_MS) return;
    lookedAt = performance.now();
    const [rows = []] = await connections.run('a look for lost tasks', [
      { text: FIND_EXPIRED, values: [wanted] },
    ]);
    const ids = rows.map((row) => textIn(row, 'id') as TaskId);
    if (ids.length > 0) await make(expiring(ids, worker));
  }

  return {
    now: async () => instant(await queries.now()),
    start: async (request) => starts.make(startOf(request)),
    async claimEvents(request) {
      const look = expire(request.versions, request.worker);
      // Whoever has something to do is not kept waiting for it, nor for its failure.
      look.catch(() => undefined);
      const { claims: claimed, exhausted } = await claims.claim(request);
      if (claimed.length === 0) await look;
      await Promise.all(exhausted.map((lease) => make(abandoning(lease, request.worker))));
      return claimed;
    },
    apply: async (request) => make(stepping(request)),
    giveBack: (request) => make(givingBack(request)),
    renewEvents: (request) => renewEvents(connections, request),
    async claimTasks(request) {
      await expire(versionsOf(request.slots), request.worker);
      return claimTasks(connections, request);
    },
    renewTasks: (request) => renewTasks(connections, request),
    finishTask: async (request) => make(finishing(request)),
    returnTask: (lease) => make(returning(lease)),
    command: async (command) => make(commanding(command)),
    declareContinuation: ({ version, continues }) => versions.declareContinuation(version, continues),
    compatibleVersions: (version) => queries.compatibleVersions(version),
    execution: (id) => queries.execution(id),
    executions: (query) => queries.executions(query),
    history: (id) => queries.history(id),
    openTasks: (id) => queries.openTasks(id),
    deadLetters: (query) => queries.deadLetters(query),
    revive: (event) => make(reviving(event)),
    fenceAndCount: (version) => versions.fenceAndCount(version),
    lift: (version) => versions.lift(version),
    fencedSince: (version) => queries.fencedSince(version),
    count: (version) => versions.count(version),
    oldestOpen: (version, limit) => queries.oldestOpen(version, limit),
    saveDelegates: (manager, delegates) => versions.saveDelegates(manager, delegates),
    delegates: (query) => versions.delegates(query),
    prune: ({ before, limit }) => versions.prune(before, limit),
    subscribe: (call) => listener.subscribe(call),
    async close() {
      await listener.close();
      await connections.close();
    },
  };
}
