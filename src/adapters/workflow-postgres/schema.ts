/**
 * The tables, as migrations that are run once each, in order. A migration only expands: what the release before uses stays
 * as it was, so that neighbouring releases share one database. What no neighbour uses any more goes in a later migration,
 * which says in `oldestReader` who can still work then.
 */

export interface Migration {
  /** What the database is after it; 1, 2, 3 and so on. */
  readonly version: number;
  /** The lowest version of this list that a release must know to work with the database after it. */
  readonly oldestReader: number;
  readonly statements: string;
}

/** Times are milliseconds since 1970; JSON is kept as the text that came, because text may hold what jsonb refuses. */
const first = `
CREATE SEQUENCE execution_ids;
CREATE SEQUENCE event_ids;
CREATE SEQUENCE task_ids;

CREATE TABLE executions (
  id bigint PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  machine text NOT NULL,
  name text NOT NULL,
  priority smallint NOT NULL,
  state text NOT NULL,
  data text NOT NULL,
  revision bigint NOT NULL,
  started_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  ended_at bigint,
  timeout bigint,
  deadline bigint,
  result text,
  error text NOT NULL,
  idempotency_key text,
  history_lines bigint NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX executions_of_tenant ON executions (tenant, id);
CREATE INDEX executions_of_version ON executions (version, id);
CREATE INDEX executions_by_start ON executions USING brin (started_at);
CREATE UNIQUE INDEX executions_by_key ON executions (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE open_executions (
  version text COLLATE "C" NOT NULL,
  execution bigint NOT NULL,
  PRIMARY KEY (version, execution)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE events (
  id bigint PRIMARY KEY,
  execution bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  payload text NOT NULL,
  priority smallint NOT NULL,
  rank smallint NOT NULL,
  state text NOT NULL,
  due_at bigint NOT NULL,
  attempt integer NOT NULL,
  token bigint NOT NULL,
  lease_until bigint NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX events_queued ON events (version, tenant, rank, id) WHERE state = 'queued';
CREATE INDEX events_delayed ON events (version, due_at) WHERE state = 'delayed';
CREATE INDEX events_of_execution ON events (execution);

CREATE TABLE dead_letters (
  id bigint PRIMARY KEY,
  execution bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  payload text NOT NULL,
  priority smallint NOT NULL,
  due_at bigint NOT NULL,
  attempt integer NOT NULL,
  token bigint NOT NULL,
  at bigint NOT NULL,
  error text NOT NULL
);
CREATE INDEX dead_letters_of_version ON dead_letters (version, id);
CREATE INDEX dead_letters_of_execution ON dead_letters (execution);

CREATE TABLE tasks (
  id bigint PRIMARY KEY,
  execution bigint NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  key text NOT NULL,
  kind text NOT NULL,
  payload text NOT NULL,
  tags text[] NOT NULL,
  priority smallint NOT NULL,
  rank smallint NOT NULL,
  timeout bigint NOT NULL,
  state text NOT NULL,
  due_at bigint NOT NULL,
  attempt integer NOT NULL,
  max_attempts integer NOT NULL,
  token bigint NOT NULL,
  lease_until bigint NOT NULL,
  delegate text
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX tasks_of_execution ON tasks (execution, key);
CREATE INDEX tasks_queued ON tasks (version, tenant, tags, rank, id) WHERE state = 'queued';
CREATE INDEX tasks_delayed ON tasks (version, due_at) WHERE state = 'delayed';
CREATE INDEX tasks_leased ON tasks (version) WHERE state = 'leased';

CREATE TABLE finished_tasks (
  task bigint NOT NULL,
  token bigint NOT NULL,
  PRIMARY KEY (task, token)
);

CREATE TABLE history (
  execution bigint NOT NULL,
  sequence bigint NOT NULL,
  at bigint NOT NULL,
  kind text NOT NULL,
  revision bigint NOT NULL,
  version text NOT NULL,
  manager text NOT NULL,
  manager_version text NOT NULL,
  delegate text,
  delegate_version text,
  event bigint,
  task bigint,
  token bigint,
  step text NOT NULL,
  detail text NOT NULL,
  PRIMARY KEY (execution, sequence)
);

CREATE TABLE fences (
  version text COLLATE "C" PRIMARY KEY,
  since bigint NOT NULL
);

CREATE TABLE continuations (
  version text COLLATE "C" NOT NULL,
  continues text COLLATE "C" NOT NULL,
  PRIMARY KEY (version, continues)
);

CREATE TABLE delegates (
  manager text NOT NULL,
  delegate text NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  tags text[] NOT NULL,
  capacity integer NOT NULL,
  running integer NOT NULL,
  since bigint NOT NULL,
  last_seen bigint NOT NULL,
  PRIMARY KEY (manager, delegate, tenant, version)
) WITH (fillfactor = 70);
CREATE INDEX delegates_of_version ON delegates (version);

-- One line for each connection: the number of its last transaction that was committed.
CREATE TABLE receipts (
  connection uuid PRIMARY KEY,
  transaction bigint NOT NULL,
  closed boolean NOT NULL,
  at bigint NOT NULL
) WITH (fillfactor = 50);
`;

/** What a transaction of one statement has answered, for those that lost the answer. */
const answers = 'ALTER TABLE receipts ADD COLUMN answer text';

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, oldestReader: 1, statements: first },
  { version: 2, oldestReader: 1, statements: answers },
];
