/**
 * What a store recorded, read by plain SQL from its tables: the library that wrote them is not asked, so that it cannot
 * make good in reading what it did wrong in writing.
 */
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { instant } from '../../../src/model/instant.ts';
import type { Json } from '../../../src/model/json.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import {
  delegateId,
  type EventId,
  type Execution,
  type ExecutionId,
  type ExecutionState,
  type HistoryEntry,
  type HistoryKind,
  type ManagerId,
  type TaskId,
} from '../../../src/model/workflow.ts';

type Row = Readonly<Record<string, unknown>>;

/** A delegate that was registered at a manager. */
export interface Registered {
  readonly box: string;
  readonly tenant: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly lastSeen: number;
}

/** Everything that a store has, at one moment. */
export interface StoreContent {
  readonly executions: readonly Execution[];
  readonly history: readonly HistoryEntry[];
  /** What should be empty once all has ended. */
  readonly left: { readonly events: number; readonly tasks: number; readonly deadLetters: number };
}

/** The database of a store, for one who only reads. */
export interface StoreReader {
  content(): Promise<StoreContent>;
  registered(): Promise<readonly Registered[]>;
}

/** `sqlite:FILE` or `postgres://…`, as managers are told. */
export function storeReader(store: string): StoreReader {
  const [, file] = /^sqlite:(.+)$/.exec(store) ?? [];
  return file === undefined ? readerOf(POSTGRES, onPostgres(store)) : readerOf(SQLITE, onSqlite(file));
}

/** Runs statements one after the other in one transaction. */
type Query = (statements: readonly string[]) => Promise<readonly (readonly Row[])[]>;

interface Statements {
  readonly executions: string;
  readonly history: string;
  readonly left: string;
  readonly registered: string;
}

const SQLITE: Statements = {
  executions: 'SELECT * FROM execution ORDER BY key',
  history:
    'SELECT history.*, execution.id AS of, execution.version AS version FROM history LEFT JOIN execution ON execution.key = history.execution ORDER BY history.execution, sequence',
  left: 'SELECT (SELECT count(*) FROM event WHERE dead_at IS NULL) AS events, (SELECT count(*) FROM task) AS tasks, (SELECT count(*) FROM event WHERE dead_at IS NOT NULL) AS dead',
  registered: 'SELECT name AS box, tenant, version, since, last_seen FROM delegate',
};

const POSTGRES: Statements = {
  executions: 'SELECT * FROM executions ORDER BY id',
  history: 'SELECT history.*, execution AS of FROM history ORDER BY execution, sequence',
  left: 'SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM tasks) AS tasks, (SELECT count(*) FROM dead_letters) AS dead',
  registered: 'SELECT delegate AS box, tenant, version, since, last_seen FROM delegates',
};
/** Where the library keeps its tables unless it is told otherwise. */
const SCHEMA = 'switchyard_workflow';

function readerOf(statements: Statements, query: Query): StoreReader {
  return {
    async content() {
      const [executions = [], history = [], [left = {}] = []] = await query([
        statements.executions,
        statements.history,
        statements.left,
      ]);
      return {
        executions: executions.map(executionOf),
        history: history.map(lineOf),
        left: {
          events: Number(left['events']),
          tasks: Number(left['tasks']),
          deadLetters: Number(left['dead']),
        },
      };
    },
    async registered() {
      const [rows = []] = await query([statements.registered]);
      return rows.map((row) => ({
        box: String(row['box']),
        tenant: String(row['tenant']),
        version: String(row['version']),
        since: Number(row['since']),
        lastSeen: Number(row['last_seen']),
      }));
    },
  };
}

function onSqlite(file: string): Query {
  return async (statements) => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      database.exec('PRAGMA busy_timeout = 5000; BEGIN');
      return statements.map((statement) => database.prepare(statement).all() as Row[]);
    } finally {
      database.close();
    }
  };
}

function onPostgres(connectionString: string): Query {
  return async (statements) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      await client.query(`SET search_path TO ${SCHEMA}`);
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const answers: Row[][] = [];
      for (const statement of statements) answers.push((await client.query<Row>(statement)).rows);
      return answers;
    } finally {
      await client.end();
    }
  };
}

function executionOf(row: Row): Execution {
  const ended = optional(row['ended_at'], Number);
  const result = optional(row['result'], (text) => JSON.parse(String(text)) as Json);
  return {
    id: String(row['id']) as ExecutionId,
    tenant: tenantName(String(row['tenant'])),
    version: versionName(String(row['version'])),
    machine: String(row['machine']),
    name: String(row['name']),
    priority: Number(row['priority']),
    state: String(row['state']) as ExecutionState,
    data: JSON.parse(String(row['data'])) as Json,
    revision: Number(row['revision']),
    startedAt: instant(Number(row['started_at'])),
    updatedAt: instant(Number(row['updated_at'])),
    ...(ended !== undefined && { endedAt: instant(ended) }),
    ...(result !== undefined && { result }),
    error: String(row['error']),
  };
}

function lineOf(row: Row): HistoryEntry {
  const delegate = optional(row['delegate'], String);
  const event = optional(row['event'], String);
  const task = optional(row['task'], String);
  const token = optional(row['token'], Number);
  return {
    execution: String(row['of']) as ExecutionId,
    sequence: Number(row['sequence']),
    at: instant(Number(row['at'])),
    kind: String(row['kind']) as HistoryKind,
    revision: Number(row['revision']),
    version: versionName(String(row['version'])),
    worker: {
      manager: String(row['manager']) as ManagerId,
      version: versionName(String(row['manager_version'])),
    },
    ...(delegate !== undefined && {
      delegate: {
        delegate: delegateId(delegate),
        version: versionName(String(row['delegate_version'])),
      },
    }),
    ...(event !== undefined && { event: event as EventId }),
    ...(task !== undefined && { task: task as TaskId }),
    ...(token !== undefined && { token }),
    step: String(row['step']),
    detail: String(row['detail']),
  };
}

function optional<Value>(value: unknown, read: (value: unknown) => Value): Value | undefined {
  return value === null || value === undefined ? undefined : read(value);
}
