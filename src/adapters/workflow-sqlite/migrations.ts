/**
 * The form of a workflow file, as the numbered steps that lead to it. Neighbouring releases have the file open at the
 * same time, so a step may only add: tables, indexes, and columns with a default. What nobody uses any more is taken
 * away by a later step whose `minReader` is the first release that can do without it. Steps are data, since they cross
 * into a worker.
 */
import type { Migration } from '../sqlite/migrations.ts';

/** "SwWf" as a number: what tells a workflow file from any other SQLite file, the controller's state file included. */
export const WORKFLOW_APPLICATION_ID = 0x53775766;

/** All steps, numbered from 1. Never edit one that was released; add another. */
export const WORKFLOW_MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    minReader: 1,
    statements: [
      `CREATE TABLE execution (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        tenant TEXT NOT NULL,
        version TEXT NOT NULL,
        machine TEXT NOT NULL,
        name TEXT NOT NULL,
        priority INTEGER NOT NULL,
        state TEXT NOT NULL,
        revision INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        ended_at INTEGER,
        timeout INTEGER,
        deadline INTEGER,
        idempotency_key TEXT,
        error TEXT NOT NULL,
        result TEXT,
        data TEXT NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX execution_by_idempotency_key ON execution (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL',
      "CREATE INDEX execution_open ON execution (version, key) WHERE state = 'Running'",
      'CREATE INDEX execution_by_tenant ON execution (tenant, key)',
      'CREATE INDEX execution_ended ON execution (ended_at, key) WHERE ended_at IS NOT NULL',

      // An event is in one of three places. `ready = 1`: it can be claimed (a lease that has run out is still written
      // down, so that its holder may come late). `wake_at`: it becomes ready then, after a delay or a lease. `dead_at`:
      // it was given up.
      `CREATE TABLE event (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        execution INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        version TEXT NOT NULL,
        kind TEXT NOT NULL,
        priority INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        token INTEGER NOT NULL DEFAULT 0,
        leased INTEGER NOT NULL DEFAULT 0,
        ready INTEGER NOT NULL,
        wake_at INTEGER,
        dead_at INTEGER,
        error TEXT,
        payload TEXT NOT NULL
      ) STRICT`,
      'CREATE INDEX event_ready ON event (version, tenant, priority DESC, key) WHERE ready = 1',
      'CREATE INDEX event_waiting ON event (version, wake_at, leased) WHERE wake_at IS NOT NULL',
      'CREATE INDEX event_dead ON event (version, key) WHERE dead_at IS NOT NULL',
      'CREATE INDEX event_of_execution ON event (execution)',

      // As events, but a task is never given up; the tags come before the priority, so that a delegate's claim reads
      // only tasks that it can take.
      `CREATE TABLE task (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        execution INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        version TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        tags TEXT NOT NULL,
        priority INTEGER NOT NULL,
        timeout INTEGER NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        max_attempts INTEGER NOT NULL,
        token INTEGER NOT NULL DEFAULT 0,
        leased INTEGER NOT NULL DEFAULT 0,
        delegate TEXT,
        ready INTEGER NOT NULL,
        wake_at INTEGER,
        payload TEXT NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX task_by_name ON task (execution, name)',
      'CREATE INDEX task_ready ON task (version, tenant, tags, priority DESC, key) WHERE ready = 1',
      'CREATE INDEX task_waiting ON task (version, wake_at, leased) WHERE wake_at IS NOT NULL',

      // The tokens of results that were taken, so that one which is reported again is known.
      `CREATE TABLE task_result (
        task TEXT NOT NULL,
        token INTEGER NOT NULL,
        execution INTEGER NOT NULL,
        PRIMARY KEY (task, token)
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX task_result_of_execution ON task_result (execution)',

      `CREATE TABLE history (
        execution INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        revision INTEGER NOT NULL,
        manager TEXT NOT NULL,
        manager_version TEXT NOT NULL,
        delegate TEXT,
        delegate_version TEXT,
        event INTEGER,
        task TEXT,
        token INTEGER,
        step TEXT NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (execution, sequence)
      ) STRICT, WITHOUT ROWID`,

      'CREATE TABLE fence (version TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID',
      `CREATE TABLE continuation (
        version TEXT NOT NULL,
        continues TEXT NOT NULL,
        PRIMARY KEY (version, continues)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE delegate (
        manager TEXT NOT NULL,
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        tags TEXT NOT NULL,
        capacity INTEGER NOT NULL,
        running INTEGER NOT NULL,
        since INTEGER NOT NULL,
        last_seen INTEGER NOT NULL,
        PRIMARY KEY (manager, tenant, name, version)
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX delegate_by_last_seen ON delegate (last_seen)',
    ],
  },
];
